"""What D&B tells us: pulled, kept, read, published, shown, alerted and passed on. The order of its slices:

models, content_ids < log_context, story_order < audiences < visibility, observations < deliveries, publications, outbox
< elements, replay < pull, ingest, history < figures < pipeline, retention, scores
< stats, company_page, feed, data_fetch < corporate_groups, portfolio_page < family_tree, webhooks
< alerts, exports, consumers < follows, decisions
< rebuild, reports, open_counts < benefit, dossier < jobs < admin, api, commands
"""
