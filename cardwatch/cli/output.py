"""Terminal output of reading reports and alert lists."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table

from cardwatch.alerts import (
    card_label,
    entry_label,
    holders_label,
    joined_facts,
    merchants_label,
    scope_note,
)
from cardwatch.cli.terminal_text import printable
from cardwatch.line_items import line_item_label
from cardwatch.quantities import money, plural, quantity
from cardwatch.registers import field_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from rich.console import ConsoleOptions, RenderableType

    from cardwatch.evaluation.benchmark import Evaluation, Row
    from cardwatch.evaluation.kinds import KindRow
    from cardwatch.evaluation.reading import Agreement, Share
    from cardwatch.records import (
        Alert,
        AlertList,
        CardRegister,
        Register,
        Statements,
    )
    from cardwatch.statements import Outcome, StatementPreview

LANE_WORDS = {"finance": "Questions for finance", "psd": "For professional standards only"}
SHOWN_PROBLEMS, NAMED_PAYMENTS = 10, 6


class SafeConsole(Console):
    """Prints text of statements and people, none of which the terminal obeys."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Give the segments of what is printed; styles are added to them later."""
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else printable(segment.text)
            yield Segment(text, segment.style, segment.control)


out, err = SafeConsole(highlight=False), SafeConsole(stderr=True, highlight=False, soft_wrap=True)


def busy(activity: str) -> AbstractContextManager[object]:
    """Show that work is going on, to a person who watches."""
    return err.status(f"{activity} ...") if err.is_terminal else nullcontext()


def print_reading(read: Statements) -> None:
    """Print what happened to every row."""
    rows = sum(report.rows for report in read.reports)
    transaction_count = sum(report.transactions for report in read.reports)
    pence = sum(report.pence for report in read.reports)
    files = sum(not report.refused for report in read.reports)
    err.print(
        f"Read {files} of {quantity(len(read.reports), 'file')}: {quantity(rows, 'row')}, "
        f"{quantity(transaction_count, 'transaction')}, "
        f"{money(pence)} net of refunds."
    )
    noted: dict[str, list[str]] = {}
    for report in read.reports:
        if report.refused:
            err.print(f"[bold]Not read:[/] {escape(report.file)}: {escape(report.refused)}")
        for total in (total for total in report.totals if not total.agrees):
            declared, actual = money(total.declared_pence), money(total.found_pence)
            place = escape(f"{report.file}, row {total.row}")
            err.print(f"{place}: the total says {declared}, the rows above add up to {actual}.")
        for note in report.notes:
            noted.setdefault(note, []).append(report.file)
    for note, names in noted.items():
        also = f" and {len(names) - 1} more" if len(names) > 1 else ""
        err.print(f"{escape(names[0])}{also}: {escape(note)}.")
    _print_problems(read)
    for note in read.notes:
        err.print(escape(note[0].upper() + note[1:]) + ("" if note.endswith("?") else "."))


def print_preview(preview: StatementPreview) -> None:
    """Print the first payments of a file as they are read, totals by direction, and every reason.

    Args:
        preview: of the file.
    """
    for name, guess in preview.columns.items():
        out.print(f"{name} from '{guess.heading}', {guess.reason}", markup=False, soft_wrap=True)
    if preview.unused:
        unused = ", ".join(f"'{heading}'" for heading in preview.unused)
        out.print(f"Not used: {unused}", markup=False, soft_wrap=True)
    if preview.read is None:
        return
    table = Table("Date", "Cardholder", "Merchant", "Amount", "Direction", box=None)
    for row in preview.rows:
        texts = (escape(row.holder), escape(row.merchant), money(row.amount_pence))
        table.add_row(row.date, *texts, row.direction)
    out.print(table)
    for title, total in (("Charges", preview.charges), ("Refunds and credits", preview.refunds)):
        out.print(f"{title}: {quantity(total.payments, 'payment')}, {money(total.pence)}")
    report = preview.read[1]
    guessed = "guessed columns: check them, and give them with --columns"
    out.print(f"Read as {guessed if preview.is_guessed else report.layout}", markup=False)
    for line in (*report.decisions, *report.notes):
        out.print(f"- {line}", markup=False, soft_wrap=True)
    if report.problems:
        out.print(f"{quantity(len(report.problems), 'row')} not read.")


def print_corpus(
    outcomes: Sequence[Outcome],
    expected: Mapping[str, object],
    differing: Mapping[str, Sequence[str]],
) -> None:
    """Print what came of each file of a corpus, and how it differs from what is expected.

    Args:
        outcomes: what came of each file.
        expected: the files of which something is expected.
        differing: files that differ, each with how.
    """
    table = Table("File", "Rows", "Sum", "Days", "Refunds", "Not read", "Outcome", box=None)
    for outcome in outcomes:
        judged = "differs" if outcome.file in differing else "as expected"
        judged = judged if outcome.file in expected or outcome.file in differing else "read"
        if outcome.refused:
            judged = f"refused: {outcome.refused}" + (", differs" * (judged == "differs"))
        days = f"{outcome.first_on} to {outcome.last_on}" if outcome.rows else ""
        figures = (outcome.rows, outcome.refunds, outcome.problems)
        rows, refunds, problems = (f"{figure:,}" if figure else "" for figure in figures)
        total = money(outcome.pence) if outcome.rows else ""
        table.add_row(escape(outcome.file), rows, total, days, refunds, problems, judged)
    out.print(table)
    for file, lines in differing.items():
        out.print(escape(f"{file}: {'; '.join(lines)}."))
    refused = sum(bool(outcome.refused) for outcome in outcomes)
    out.print(
        f"{len(outcomes):,} files: {len(outcomes) - refused:,} read, {refused:,} refused, "
        f"{len(differing):,} differ from what is expected."
    )


def print_register(register: CardRegister, counts: Mapping[str, int]) -> None:
    """Print what happened to every row of a card register, and how many payments it matches.

    Args:
        register: the register read.
        counts: `payments`, `matched` and `not_listed`; empty without statements.
    """
    report, cards = register.report, register.cards
    out.print(
        f"{escape(report.file)}: {quantity(report.rows, 'row')}, {report.cards:,} kept, "
        f"{quantity(cards['card_id'].nunique(), 'card')} of "
        f"{quantity(cards['holder_id'].nunique(), 'holder')}; "
        f"{len(report.problems):,} not read, {report.blank:,} blank, "
        f"{quantity(report.headings, 'repeated heading')}."
    )
    columns = ", ".join(f"{name} from '{heading}'" for name, heading in report.columns.items())
    out.print(escape(f"Columns: {columns}."))
    for line in (*report.decisions, *report.notes):
        out.print(escape(line[0].upper() + line[1:]) + ".")
    for problem in report.problems:
        place = f"row {problem.row}, column '{problem.column}'"
        out.print(escape(f"{place}: {problem.message} ({problem.code})."))
    if counts:
        out.print(
            f"{counts['matched']:,} of {quantity(counts['payments'], 'payment')} "
            f"{plural(counts['matched'], 'finds its', 'find their')} card in it; "
            f"{counts['not_listed']:,} {plural(counts['not_listed'], 'is', 'are')} "
            "on cards that it does not list."
        )


def print_registers(registers: Sequence[Register]) -> None:
    """Print how many entries of each register were read, and what was not."""
    for register in registers:
        for report in register.reports:
            entries = quantity(report.entries, "entry", "entries")
            unread = quantity(len(report.problems), "row")
            dropped = quantity(len(report.dropped), "column")
            line = f"{register.kind}, {entries}, {unread} not read"
            line += f", {dropped} dropped" if report.dropped else ""
            err.print(f"{escape(report.file)}: {line}.")


def print_register_report(register: Register, quality: Mapping[str, Any]) -> None:
    """Print what happened to every row of a register, and the figures about its quality."""
    report = register.reports[0]
    out.print(
        f"{escape(report.file)}: {quality['title'].lower()}, {quantity(report.rows, 'row')}; "
        f"{quantity(report.entries, 'entry', 'entries')}, "
        f"{quantity(report.nil_returns, 'nil return')}, {report.blank:,} blank, "
        f"{quantity(report.headings, 'repeated heading')}, {len(report.problems):,} not read."
    )
    columns = ", ".join(f"{name} from '{heading}'" for name, heading in report.columns.items())
    out.print(escape(f"Columns: {columns}."))
    if report.unused:
        out.print(escape(f"Not used: {', '.join(report.unused)}."))
    for heading, why in report.dropped.items():
        out.print(escape(f"Dropped: '{heading}', as {why}."))
    for line in (*report.decisions, *report.notes):
        out.print(escape(line[0].upper() + line[1:]) + ".")
    for problem in report.problems:
        place = f"row {problem.row}, column '{problem.column}'"
        out.print(escape(f"{place}: {problem.message} ({problem.code})."))
    print_quality(quality)


def print_quality(quality: Mapping[str, Any]) -> None:
    """Print the figures about a register's quality, as `RegisterQuality` has them."""
    gaps = ", ".join(
        f"{count:,} without {field_words(quality['kind'], name)}"
        for name, count in quality["gaps"].items()
    )
    late, overdue = f"{quality['late_entries']:,}", f"{quality['reviews_overdue']:,}"
    last = quality["last_entry_on"] or "none"
    silent = ", ".join(quality["silent_units"])
    out.print(
        f"Quality: {gaps or 'no gaps'}; {late} recorded more than 28 days late; "
        f"{overdue} past review; last entry {last}."
    )
    if silent:
        out.print(escape(f"Units that spend and record nothing: {silent}."))


def _print_problems(read: Statements) -> None:
    """Print the first rows that were not read, and how many there are."""
    problems = [problem for report in read.reports for problem in report.problems]
    for problem in problems[:SHOWN_PROBLEMS]:
        place = escape(f"{problem.file}, row {problem.row}, {problem.column}")
        err.print(f"[bold]Row not read:[/] {place}: {escape(problem.message)}.")
    if len(problems) > SHOWN_PROBLEMS:
        more = len(problems) - SHOWN_PROBLEMS
        err.print(
            f"... and {quantity(more, 'more row')}; every one is in the list written as .xlsx "
            "or .json."
        )


def print_list(lane: str, alert_list: AlertList, *, show_all: bool) -> None:
    """Print one lane's list: money, days, who, where, why, what to ask."""
    whose = f"{escape(alert_list.organisation)}: " if alert_list.organisation else ""
    out.print(
        f"\n[bold]{whose}{LANE_WORDS[lane]}[/], {quantity(alert_list.payments_count, 'payment')}, "
        f"{alert_list.first_on} to {alert_list.last_on}"
    )
    for note in alert_list.notes:
        out.print(escape(note), style="dim")
    alerts = alert_list.alerts if show_all else alert_list.shown
    questions = [alert for alert in alerts if not alert.is_fact]
    facts = [alert for alert in alerts if alert.is_fact]
    for group, title in ((questions, ""), (facts, f"Facts against your policy: {len(facts)}")):
        if not group:
            continue
        table = Table(show_lines=True, title=title or None, title_justify="left")
        table.add_column("About", min_width=22, max_width=28, overflow="fold")
        table.add_column("Why, and what to ask", ratio=1, overflow="fold")
        for alert in group:
            table.add_row(_about(alert), _why(alert))
        out.print(table)
    if alerts:
        out.print("[dim]Tier A: against a stated limit or list. B: unusual. C: for information.[/]")


def _about(alert: Alert) -> str:
    """Return the facts of one alert: money, days, who, where."""
    days = " to ".join(dict.fromkeys([alert.first_on, alert.last_on]))
    payments = quantity(len(alert.payments), "payment")
    if not alert.payments:
        return "\n".join(
            [
                f"[bold]{alert.rank}.[/]  tier {alert.tier}",
                f"the register on {days}",
                escape(holders_label(alert)),
            ]
        )
    return "\n".join(
        [
            f"[bold]{alert.rank}.  {money(alert.at_stake_pence)}[/]  tier {alert.tier}",
            f"{payments}, {days}",
            f"[bold]{escape(merchants_label(alert))}[/]",
            escape(_whose(alert)),
        ]
    )


def _whose(alert: Alert) -> str:
    """The cardholder by id, or how many they are."""
    label = holders_label(alert)
    return f"cardholder {label}" if len(alert.holders) == 1 else label


def _why(alert: Alert) -> str:
    """Return why one alert deserves a question, and what to ask."""
    first, *others = joined_facts(alert.reasons)
    lines = [f"[bold]{escape(alert.title)}.[/]", escape(first)]
    lines += [f"Also: {escape(fact)}" for fact in others]
    lines.append(scope_note(alert))
    lines += [f"Weakened: {escape(reason.fact)}" for reason in alert.weakened_by]
    lines += [escape(sentence) for sentence in alert.later]
    lines += [f"In the register of {escape(entry_label(entry))}" for entry in alert.entries]
    lines.append(escape(alert.merchant_history))
    lines += [f"[dim]- {escape(line)}[/]" for line in alert.unusual]
    lines.append(f"[bold]Ask:[/] {escape(' '.join(alert.reasons[0].ask))}")
    lines.append(f"Possible explanations: {escape(alert.reasons[0].innocent[0])}")
    names = [p.reference or f"{p.file} row {p.row}" for p in alert.payments] or list(
        map(card_label, alert.cards)
    )
    items = [line_item_label(item) for paid in alert.payments for item in paid.line_items]
    if items:
        more = f" and {len(items) - NAMED_PAYMENTS} more" if len(items) > NAMED_PAYMENTS else ""
        lines.append(f"Line items: {escape('; '.join(items[:NAMED_PAYMENTS]))}{more}")
    label = "Payments" if alert.payments else "Cards"
    more = f" and {len(names) - NAMED_PAYMENTS} more" if len(names) > NAMED_PAYMENTS else ""
    lines.append(f"[dim]{label}: {escape(', '.join(names[:NAMED_PAYMENTS]))}{more}[/]")
    return "\n".join(line for line in lines if line)


def print_evaluation(evaluation: Evaluation) -> None:
    """Print what was measured: recall by style and ranker, quiet patterns, chance, volume."""
    facts = evaluation.facts
    out.print(
        f"{quantity(facts['payments'], 'payment')} from {facts['from']} to {facts['to']} "
        f"{plural(facts['payments'], 'was', 'were')} scored against "
        f"{facts['history']:,} before them; {quantity(len(facts['seeds']), 'world')} of each kind."
    )
    for pence in facts["limits_pence"]:
        table = Table(title=f"Invented cases found, limit {money(pence)}", box=None)
        for heading in ("Style", "By", "Planted", "Average precision (base)", "Recall at 0.25"):
            table.add_column(heading)
        for heading in ("0.5", "1", "5", "10 alerts per 1,000"):
            table.add_column(heading)
        for row in (row for row in evaluation.rows if row.limit_pence == pence):
            table.add_row(*_evaluated(row))
        out.print(table)
    for measured in evaluation.kinds:
        out.print(escape(_measured(measured)))
    for quiet_row in evaluation.quiet:
        outcome = f"{quiet_row.alerts} of {quiet_row.planted} had an alert in tiers A and B"
        out.print(f"Quiet, {quiet_row.style}, limit {money(quiet_row.limit_pence)}: {outcome}.")
    for line in evaluation.volume:
        out.print(
            f"Limit {money(line['limit_pence'])}, without invented cases: "
            f"{line['found_per_1000']:.1f} alerts per 1,000 payments, "
            f"{line['shown_per_1000']:.1f} shown "
            f"({line['shown_per_holder_month']:.3f} per cardholder and month), "
            f"{line['psd_per_1000']:.1f} for professional standards; {line['splits']:.0f} splits, "
            f"{line['splits_without_clusters']:.0f} when the days are shuffled."
        )
    for month in evaluation.chance:
        ratios = ", ".join(f"{level}: {ratio:.2f}" for level, ratio in month.ratios.items())
        out.print(f"Realised / nominal chance rate, {month.month}: {ratios}")
    for name, share in evaluation.stability.items():
        out.print(f"Top 200 in common between seeds, {name}: {share:.3f}")
    out.print("[dim]For what this cannot show, see docs/detection.md.[/]")


def print_shares(shares: Sequence[Share], agreed: Sequence[Agreement]) -> None:
    """Print how many of each source's items were worth asking, and how far readers agree."""
    table = Table(title="Worth asking", box=None)
    for heading in ("Source", "Reader", "Read", "Worth asking", "Share", "95% interval"):
        table.add_column(heading)
    for source_share in shares:
        share = f"{source_share.worth / source_share.read:.2f}" if source_share.read else ""
        interval = escape(f"[{source_share.low:.2f}-{source_share.high:.2f}]")
        table.add_row(
            source_share.source,
            source_share.reader,
            str(source_share.read),
            str(source_share.worth),
            share,
            interval,
        )
    out.print(table)
    for agreement in agreed:
        kappa = "not defined" if agreement.kappa is None else f"{agreement.kappa:.2f}"
        names = escape(" and ".join(agreement.readers))
        out.print(
            f"{names} agree on {agreement.same} of {agreement.both} items that both answered; "
            f"Cohen's kappa: {kappa}."
        )


def _evaluated(row: Row) -> list[str]:
    """Return one line of the table of recall."""
    recalls = [f"{r.share:.2f} [{r.low:.2f}-{r.high:.2f}]" for r in row.recalls]
    precision = f"{row.precision:.3f} ({row.base_rate:.3f})"
    return [row.style, row.ranker, str(row.planted), precision, *map(escape, recalls)]


def _measured(row: KindRow) -> str:
    """Return what is found of one kind, beside its one-line rule, or of all beside all of them."""
    from cardwatch.evaluation.kinds import ALL_KINDS

    rival = "all one-line rules in turn" if row.kind == ALL_KINDS else "one-line rule"
    ours = ", ".join(f"{r.share:.2f} [{r.low:.2f}-{r.high:.2f}]" for r in row.recalls)
    plain = ", ".join(f"{r.share:.2f}" for r in row.one_line)
    words = [
        f"{row.kind}, limit {money(row.limit_pence)}, {row.view}: {row.planted} planted",
        f"found at 1, 2, 5 and 10 per 1,000 of all lists {ours}",
        f"{rival} {plain}",
        row.verdict,
    ]
    return "; ".join(filter(None, words)) + "."
