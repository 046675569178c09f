"""Who is told: what users follow and how, mentions in comments, and one message per user and event.

It reads alerts, since what an alert has brought to a user is not sent again. Jobs and pages use it.
"""
