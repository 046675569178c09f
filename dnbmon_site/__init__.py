"""The site: settings, people, the front page, workers, and what operators do.

environment, databases < api < accounts < http, worker < dashboard < operations < settings, urls, commands
"""
