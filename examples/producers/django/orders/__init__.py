"""Django: takes orders, and asks for a mail about each after its commit."""
