"""What the jobs of a day came to, as a page and as a table.

Reading order: day (what is told), charts (where lines and bars stand), page and page.html.jinja, table. Who reads a day
from the store: worker_service/daily.py.
"""
