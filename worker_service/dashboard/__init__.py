"""Pages for people.

Reading order: pages (the routes), templates/, static/, wording and spans (what templates call).
"""
