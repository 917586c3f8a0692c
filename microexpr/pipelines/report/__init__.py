"""What people look at: tables in the terminal and one self-contained HTML file."""

from microexpr.pipelines.report import text
from microexpr.pipelines.report.html import write_report, write_reports

__all__ = ["text", "write_report", "write_reports"]
