"""The plan as a page to look at, to send and to print: one HTML file that asks nothing of any server."""

from ar_connectors.cli.report.facts import Facts, gather
from ar_connectors.cli.report.page import render

__all__ = ["Facts", "gather", "render"]
