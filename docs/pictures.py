"""Takes the documents' pictures of the pages: `make pictures`.

They show the invented force as `cardwatch demo --casebook` makes it, with its newest month
uploaded, at the moment of the tests' clock. Names under which professional standards
see cardholders are drawn anew each time.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from sites import Site, Visit, bring_newest, browser_here, browsing, listening, make_force

from cardwatch import services
from cardwatch.casebook import PSD
from cardwatch.casebook.alerts import DecisionInput

OUT = Path(__file__).parent / "pictures"
WIDTH, ABOVE, BELOW, COLOURS = 1180, 24, 8, 128
BREAK = 40
"""White between two parts of a page, with a line."""


def clip(visit: Visit, first: str, last: str) -> Image.Image:
    """Return a page from above one thing to below another, as wide as the screen."""
    visit.page.evaluate("scrollTo(0, 0)")  # boxes are told from the top of what is seen
    top, end = (visit.page.locator(one).first.bounding_box() for one in (first, last))
    assert top is not None
    assert end is not None
    begins = max(top["y"] - ABOVE, 0)
    area = {
        "x": 0,
        "y": begins,
        "width": WIDTH,
        "height": end["y"] + end["height"] - begins + BELOW,
    }
    taken = visit.page.screenshot(full_page=True, clip=area)  # type: ignore[arg-type]
    return Image.open(io.BytesIO(taken)).convert("RGB")


def save(name: str, *parts: Image.Image) -> None:
    """Save parts of a page under each other, small."""
    height = sum(one.height for one in parts) + BREAK * (len(parts) - 1)
    whole = Image.new("RGB", (WIDTH, height), "white")
    top = 0
    for part in parts:
        if top:
            whole.paste("#b1b4b6", (0, top + BREAK // 2, WIDTH, top + BREAK // 2 + 2))
            top += BREAK
        whole.paste(part, (0, top))
        top += part.height
    OUT.mkdir(exist_ok=True)
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(OUT / name, optimize=True)
    print(f"docs/pictures/{name}: {(OUT / name).stat().st_size // 1000} kB")


def find(site: Site, lane: str, rule: str) -> str:
    """Return the alert of a rule."""
    listed = services.list_alerts(site.context(PSD), services.AlertFilter(lane=lane, rule=rule))
    return str(listed[0]["alert_id"])


def main() -> None:
    """Take every picture."""
    path = browser_here()
    if path is None:
        raise SystemExit("There is no browser here: install Chromium.")
    with tempfile.TemporaryDirectory() as folder:
        make_force(Path(folder))
        with listening(Path(folder), chores=False) as site, browsing(path) as browser:
            bring_newest(site)
            take(site, Visit(browser, site, width=WIDTH), Visit(browser, site, width=WIDTH))


def take(site: Site, finance: Visit, psd: Visit) -> None:
    """Take the list of finance, a split purchase, and what professional standards see."""
    finance.come_as("finance")
    split = find(site, "finance", "split-few-days")
    said = DecisionInput("asked for both orders", "asked", "finance@saltmarsh-vale-police.example")
    services.decide(site.context("finance"), find(site, "finance", "split-same-day"), said)
    finance.page.goto("/alerts")
    save("list.png", clip(finance, "body", "tbody tr:nth-of-type(8)"))
    finance.page.goto(f"/alerts/{split}")
    save(
        "alert.png",
        clip(finance, "h1", ".cw-table"),
        clip(finance, ".cw-chart", ".cw-chart__drawing"),
    )
    psd.come_as("psd")
    psd.page.goto(f"/alerts/{find(site, PSD, 'split-across-holders')}")
    psd.page.get_by_text("Show by name whom this is about").click()
    psd.page.evaluate("document.activeElement.blur()")
    save("standards.png", clip(psd, "h1", ".cw-table"))
    take_subjects(site, psd)


def take_subjects(site: Site, psd: Visit) -> None:
    """Take the review of names, and the pages of a supplier and of a cardholder."""
    psd.page.goto("/registers/matches")
    save("names.png", clip(psd, "h1", "tbody tr:nth-of-type(4)"))
    links = services.subject_links(site.context(PSD), [find(site, PSD, "own-interest")])
    psd.page.goto(f"/suppliers/{links.suppliers[0].id}")
    save("supplier.png", clip(psd, ".govuk-caption-l", "main figure"))
    psd.page.goto(f"/cardholders/{links.cardholders[0].id}")
    save("cardholder.png", clip(psd, ".govuk-caption-l", "main figure"))


if __name__ == "__main__":
    main()
