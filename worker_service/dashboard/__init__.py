"""Pages for people.

Reading order: pages (the routes and their headers), templates/, static/, wording and spans (what templates call).
"""
