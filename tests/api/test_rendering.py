"""Pages: what stands in them, and what they load."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest

from api.templating import (
    HERE,
    STATIC,
    asset,
    brief,
    day,
    environment,
    everybody,
    integrity,
    moment,
    money,
    short_moment,
    unbroken,
)

BAD = "<script>alert(1)</script>\"'"


def show(source: str, **given: object) -> str:
    source = '{% import "parts.html" as parts with context %}' + source
    return environment().from_string(source).render({"errors": {"a": BAD, BAD: BAD}} | given)


def page(**given: object) -> str:
    shown = {"marking": "OFFICIAL", "organisation": BAD} | given
    return environment().get_template("base.html").render(shown)


def test_money_days_and_moments_are_told_as_people_do() -> None:
    assert [money(612_000), money(-1_250), money(5)] == ["£6,120.00", "-£12.50", "£0.05"]
    assert day("2026-10-11") == day(dt.date(2026, 10, 11)) == "11 October 2026"
    assert moment("2026-10-11T13:05:00+00:00") == "11 October 2026, 2:05pm"  # summer time
    assert moment("2026-12-11T00:05:00Z") == "11 December 2026, 12:05am"
    assert short_moment("2026-10-11T13:05:00+00:00") == "11 Oct 2026, 2:05pm"


def test_the_day_of_a_late_summer_evening_is_that_of_the_clock_beside_it() -> None:
    late = "2026-06-30T23:30:00+00:00"
    assert moment(late) == "1 July 2026, 12:30am"
    assert day(late) == "1 July 2026"
    assert "1 Jul 2026" in brief(late)
    assert short_moment(late) == "1 Jul 2026, 12:30am"
    assert "30 Jun 2026" in brief("2026-06-30")


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("brackenhythe conference", ["brackenhythe", "conference"]),
        ("finance@saltmarsh-vale-police.example", ["finance@", "saltmarsh-", "police.", "example"]),
        ("TESCO 1234", []),
        ("W" * 90, []),
    ],
)
def test_no_word_of_a_name_is_broken_that_fits_a_column(name: str, whole: list[str]) -> None:
    markup = unbroken(name)
    assert re.findall(r'<span class="cw-whole">([^<]+)</span>', markup) == whole
    assert markup.striptags() == name
    assert "<script" not in unbroken(BAD)
    assert unbroken(BAD).striptags() == BAD


@pytest.mark.parametrize(
    ("holders", "approvers", "said"),
    [
        (["E1"], [], "Ann"),
        (["E1", "E2"], [], "Ann and Bob"),
        (["E1", "E2", "E3"], [], "Ann, Bob and Cat"),
        ([f"E{n}" for n in range(1, 8)], [], "7 cardholders"),
        (["E1", "E2"], ["E3"], "approver Cat"),
        ([], ["E3"], "approver Cat"),
    ],
)
def test_each_of_a_few_cardholders_is_named(
    holders: list[str], approvers: list[str], said: str
) -> None:
    names = dict(zip((f"E{n}" for n in range(1, 8)), ("Ann", "Bob", "Cat", *"DEFG"), strict=True))
    assert everybody({"holders": holders, "approvers": approvers}, names) == said


def test_a_page_says_who_is_signed_in_and_what_went_wrong() -> None:
    nav = {"label": "Alerts", "href": "/", "is_current": True}
    given = {"person": "Ann", "nav": [nav]}
    out = page(**given)
    assert 'aria-current="page"' in out
    assert "Sign out" not in page()
    assert "<title>Error: " in page(errors={"file": "Select a file"})
    assert "<title>Error: " not in page(errors={})
    assert BAD not in page()


@pytest.mark.parametrize("part", [
    "parts.error_summary({bad: bad})", "parts.field(bad, bad, bad, bad, title=bad)",
    "parts.textarea('a', bad, bad, bad)", "parts.hidden('a', bad)",
    "parts.select('a', bad, [{'value': bad, 'label': bad}], bad)",
    "parts.radios('a', bad, [{'value': bad, 'label': bad, 'hint': bad}], bad, bad)",
    "parts.checkboxes('a', bad, [{'value': bad, 'label': bad}], [bad])",
    "parts.file_upload('a', bad, bad)",
    "parts.button(bad, bad)", "parts.table(bad, [bad, {'label': bad, 'href': bad}], [(bad, bad)])",
    "parts.table(bad, [], [], empty=bad)", "parts.summary_list([(bad, bad, bad), (bad, bad)])",
    "parts.tag(bad)", "parts.badge(bad)", "parts.link(bad, bad)", "parts.back_link(bad, bad)",
    "parts.whole(bad)",
    "parts.pagination(bad, bad)", "parts.warning(bad)",
    "parts.inset(bad)", "parts.banner(bad)", "parts.details(bad, bad)",
    "parts.chart_bars(bad, [{'label': bad, 'value': 1, 'text': bad, 'marked': true}])",
    "parts.timeline([{'title': bad, 'by': bad, 'at': '2026-10-11T13:05:00Z', 'text': bad}])",
])  # fmt: skip
def test_whatever_is_passed_to_a_part_is_escaped(part: str) -> None:
    out = show("{{ " + part + " }}", bad=BAD)
    assert "alert(1)" in out.lower()
    assert "<script" not in out.lower()
    assert not re.search(r"\s(style|on\w+)=", out)


@pytest.mark.parametrize(
    ("is_psd", "asked"), [("true", "the people who run cardwatch"), ("false", "your administrator")]
)
def test_whoever_is_alone_in_a_role_is_told_whom_to_ask(is_psd: str, asked: str) -> None:
    told = show("{{ parts.second_person(false, '.', " + is_psd + ") }}")
    assert f"Nobody else has your role. Ask {asked} to add somebody." in told
    assert "Nobody else" not in show("{{ parts.second_person(true, '.', " + is_psd + ") }}")


def test_a_chart_of_nothing_and_of_refunds_is_drawn() -> None:
    assert "<rect" not in show("{{ parts.chart_bars('Paid', []) }}")
    out = show("{{ parts.chart_bars('Paid', [{'label': 'A', 'value': -5, 'text': '-5'}]) }}")
    assert 'width="0.00%"' in out


def test_pages_load_only_what_is_ours_and_name_it_by_its_content() -> None:
    out = page()
    assert "http" not in out
    assert f'src="{asset("govuk-frontend.min.js")}"' in out
    assert f'integrity="{integrity("cardwatch.css")}"' in out
    assert not re.search(r"<style|\sstyle=|<script(?![^>]* src=)", out)


def test_the_style_has_no_font_crest_or_address_and_says_its_licence() -> None:
    style = (STATIC / "cardwatch.css").read_text(encoding="utf-8")
    assert not re.search(r"GDS Transport|@font-face|crest|crown|url\(|@import", style)
    wanted = json.loads((HERE / "assets/package.json").read_text(encoding="utf-8"))
    said = f"govuk-frontend {wanted['dependencies']['govuk-frontend']}"
    for name in ("cardwatch.css", "govuk-frontend.min.js", "LICENCES.txt"):
        assert said in (STATIC / name).read_text(encoding="utf-8")
    assert "resolved" not in (HERE / "assets/package-lock.json").read_text(encoding="utf-8")


def test_a_register_says_only_what_its_newest_version_takes_away() -> None:
    """Before, a version that changed one entry was said to leave out 0 entries."""
    template = environment().get_template("register.html")
    summary = {"title": "Gifts", "kind": "gifts", "row": "a gift", "owner": "psd"}
    version = {"version_id": "v", "file": "f.csv", "received_at": "2026-11-24", "entries": 1,
               "unreadable": 0, "received_by": "p"}  # fmt: skip
    detail = {"versions": [version], "quality": None}

    def told(**counts: int) -> str:
        return template.render(
            summary=summary,
            detail=detail,
            lost=counts,
            who=str,
            marking="",
            organisation="",
            is_theirs=True,
            may_receive=False,
        )

    assert "newest version changes 1 entry of earlier versions" in told(left_out=0, changed=1)
    both = told(left_out=1_200, changed=2)
    assert "leaves out 1,200 entries and changes 2 entries of earlier versions" in both
    assert "No later alert" not in told()


def test_no_more_changes_are_listed_than_are_shown_and_each_has_its_name_and_day() -> None:
    change = {"effect": "changed", "subject": "e1", "name": "Bob Baker", "day": "2026-09-05",
              "row": 2, "fields": [{"heading": "Donor", "before": "A", "after": ""}]}  # fmt: skip
    counts = {"left_out": 0, "changed": 900, "added": 0}
    out = show("{{ parts.entry_changes(changes, counts) }}", changes=[change], counts=counts)
    for text in ("Changed: 900 entries", "Bob Baker", "5 September 2026", "Donor: A → nothing",
                 "The first 1 of 900 entries are shown"):  # fmt: skip
        assert text in out


def test_a_query_about_many_alerts_leads_to_as_many_as_are_decided_together() -> None:
    """Before, the link named them all, and the page that it led to took none."""
    asked = [
        {"alert_id": f"a{number}", "state": "open", "at_stake_pence": 0, "last_on": "2026-10-11"}
        for number in range(51)
    ]
    out = environment().get_template("questions.html").render(
        asked=asked, heads={one["alert_id"]: {"fact": "Fact."} for one in asked}, most=50,
        found={"alert_id": "a0", "holders": ["E1"], "approvers": []}, names={"E1": "E1"},
        errors={}, query={"recipient": ""},
        can_send=False, marking="", organisation="", list_query="",
    )  # fmt: skip
    assert out.count("alert=a") == 50
    assert "for the first 50 alerts" in out
