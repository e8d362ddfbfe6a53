"""Evidence as a report to attach to a paper or a ticket: one HTML file without links."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from pathlib import Path

from tta_demo.evidence.findings import Evidence
from tta_demo.evidence.html_page import html_page
from tta_demo.evidence.tables import Table, tables
from tta_demo.evidence.words import (
    cost_said,
    habits_said,
    protocol_said,
    trust_said,
    verdict_said,
    warnings_said,
)

__all__ = ["document"]

LONG = 25
"""Rows of a table, from which on it is folded."""


def document(evidence: Evidence, pictures: Mapping[str, bytes]) -> str:
    """Returns the whole report; nothing in it is fetched or run, every string is escaped.

    Args:
        evidence: what to report.
        pictures: PNG files of the figures, by name.
    """
    title = f"Is looking again worth it for {evidence.protocol.model}?"
    said = {"cost": [cost_said(evidence)], "looks": [habits_said(evidence)]}
    said["looks"] += warnings_said(evidence)
    *said["trust"], removed = trust_said(evidence)
    said["removal"] = [removed]
    parts = (
        _section(table, said.get(name, []), pictures.get(name))
        for name, table in tables(evidence).items()
    )
    told = f"<h1>{escape(title)}</h1><p class='verdict'>{escape(verdict_said(evidence))}</p>"
    css = (Path(__file__).parent / "report.css").read_text("utf-8")
    return html_page(title, f"{told}{''.join(parts)}{_protocol(evidence)}", css)


def _section(table: Table, said: list[str], png: bytes | None) -> str:
    told = "".join(f"<p>{escape(one)}</p>" for one in said)
    return f"<h2>{escape(table.title)}</h2>{told}{_picture(table, png)}{_rows(table)}"


def _picture(table: Table, png: bytes | None) -> str:
    if png is None:
        return ""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return f"<img alt='{escape(table.title)}; the numbers are in the table below' src='{source}'>"


def _rows(table: Table) -> str:
    head = "".join(f"<th scope='col'>{escape(column.head)}</th>" for column in table.columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.said()
    )
    rows = (
        f"<div class='wide' tabindex='0'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
    if len(table.rows) // table.every > LONG:
        rows = f"<details><summary>The numbers</summary>{rows}</details>"
    return f"{rows}<p class='note'>{escape(table.note)}</p>"


def _protocol(evidence: Evidence) -> str:
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(told)}</dd>"
        for name, told in protocol_said(evidence).items()
    )
    about = evidence.protocol
    names = (
        f"<details><summary>{what}</summary>"
        f"<p class='note'>{escape(', '.join(those))}</p></details>"
        for what, those in (
            ("Pictures to choose and learn on", about.calibration),
            ("Pictures to measure on", about.held),
        )
    )
    again = f"<h2>To repeat it</h2><pre>{escape(about.command)}</pre>" if about.command else ""
    return f"<h2>How it was measured</h2><dl>{rows}</dl>{''.join(names)}{again}"
