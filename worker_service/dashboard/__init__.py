"""Pages for people.

Reading order: pages (the routes and their headers), wording (numbers as people read them), templates/, static/.
"""
