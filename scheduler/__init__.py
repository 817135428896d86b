"""Fires schedules."""
