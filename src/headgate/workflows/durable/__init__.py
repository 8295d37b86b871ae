"""Runs that outlive the process that took them: a queue, journals, leases, webhooks, schedules."""
