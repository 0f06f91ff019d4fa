// What pages do better with JavaScript; without it all of them work.
import {
  Button, ErrorSummary, FileUpload, NotificationBanner, ServiceNavigation, SkipLink, createAll,
} from "govuk-frontend";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
for (const component of [
  Button, ErrorSummary, FileUpload, NotificationBanner, ServiceNavigation, SkipLink,
]) {
  createAll(component);
}

// A page of alerts or payments is ticked at once.
for (const table of document.querySelectorAll(".cw-table")) {
  const boxes = [...table.querySelectorAll("tbody input[type=checkbox]")];
  if (boxes.length < 2) continue;
  const button = document.createElement("button");
  const say = () => {
    button.textContent = boxes.every((box) => box.checked) ? "Select none" : "Select all on this page";
  };
  button.type = "button";
  button.className = "govuk-button govuk-button--secondary";
  button.addEventListener("click", () => {
    const some = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = some;
    say();
  });
  table.addEventListener("change", say);
  table.before(button);
  say();
}
