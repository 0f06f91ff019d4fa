// Sends an operation from the API reference; without JavaScript the page shows its example alone.
const MOST_CHARACTERS = 200000;
const keyField = document.getElementById("key");

class Fault extends Error {
  constructor(message, control) {
    super(message);
    this.control = control;
  }
}

function element(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

// A text that scrolls in its own place, also by keyboard.
function scrolling(label, text) {
  const region = element("div", "cw-table", "");
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", label);
  region.tabIndex = 0;
  region.append(element("pre", "govuk-body-s", text));
  return region;
}

function requestOf(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const headers = new Headers();
  const fields = new FormData();
  let body = null;
  for (const control of form.querySelectorAll("[data-place]")) {
    const { name, place } = control.dataset;
    const file = control.files?.[0];
    const value = control.value.trim();
    if (!value && !file) {
      if (control.required) throw new Fault(`Enter ${name}`, control);
    } else if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (place === "query") query.append(name, value);
    else if (place === "header") {
      if (!/^[ -~]+$/.test(value)) throw new Fault(`Enter ${name} in plain characters`, control);
      headers.set(name, value);
    } else if (place === "form") {
      fields.append(name, file ?? value);
      body = fields;
    } else {
      try {
        JSON.parse(value);
      } catch (error) {
        throw new Fault(`The body is not JSON: ${error.message}`, control);
      }
      headers.set("Content-Type", "application/json");
      body = value;
    }
  }
  const key = keyField.value.trim();
  if (!/^[!-~]*$/.test(key)) throw new Fault("Enter a key without spaces", keyField);
  if (key) headers.set("Authorization", `Bearer ${key}`);
  const search = String(query) && `?${query}`;
  return [path + search, { method: form.dataset.method, headers, body, credentials: "omit" }];
}

async function show(answer, form, place) {
  const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  const of = `answer to ${form.dataset.method} ${form.dataset.path}`;
  const status = `Status ${answer.status} ${answer.statusText}`.trim();
  const parts = [element("p", "govuk-body govuk-!-font-weight-bold", status)];
  parts.push(scrolling(`Headers of the ${of}`, headers));
  const type = answer.headers.get("content-type") ?? "";
  const bytes = await answer.blob();
  if (/json|^text\//.test(type)) {
    let text = await bytes.text();
    if (/json/.test(type) && text) text = JSON.stringify(JSON.parse(text), null, 2);
    const shown = text.slice(0, MOST_CHARACTERS);
    if (shown) parts.push(scrolling(`Body of the ${of}`, shown));
    if (shown !== text) parts.push(element("p", "govuk-body", "Only the beginning is shown."));
  }
  if (bytes.size) {
    const link = element("a", "govuk-link", `Save the body (${bytes.size} bytes)`);
    const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "");
    link.href = URL.createObjectURL(bytes);
    link.download = name ? name[1] : "answer";
    parts.push(element("p", "govuk-body", ""));
    parts.at(-1).append(link);
  }
  place.replaceChildren(...parts);
}

async function send(form) {
  if (form.dataset.sending) return;
  form.dataset.sending = "yes";
  const place = form.querySelector("[role=status]");
  for (const link of place.querySelectorAll("a")) URL.revokeObjectURL(link.href);
  for (const control of [keyField, ...form.elements]) control.removeAttribute("aria-invalid");
  place.replaceChildren(element("p", "govuk-body", "The request is being sent."));
  try {
    await show(await fetch(...requestOf(form)), form, place);
  } catch (error) {
    const text = error instanceof Fault ? error.message : "The service did not answer.";
    place.replaceChildren(element("p", "govuk-error-message", text));
    error.control?.setAttribute("aria-invalid", "true");
    error.control?.focus();
  }
  delete form.dataset.sending;
}

document.getElementById("sending").hidden = false;
for (const form of document.querySelectorAll("form[data-path]")) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
