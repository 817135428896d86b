"""The doctor: whether a namespace is as it should be, checked and repaired while it works.

Reading order: findings, look, doctor (the table of checks), then one file per check: keyspace, jobs, places, sessions,
belongings, queues, groups, locks, totals. Each has its sentences (SAYS), its scripts (lua/examine_*.lua), and says
where the names come from that these look at. A new check is a file like these and a line in `CHECKS`.
"""

from .doctor import CHECKS, examine
from .findings import Finding, Report

__all__ = ["CHECKS", "Finding", "Report", "examine"]
