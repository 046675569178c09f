"""What any app needs and none owns: rows, ids, text, lists, files, the way out. It knows nothing of D&B or of our apps.

ids < text, bulk < models, visibility, db < markup, fields, encryption, outbound, leases, blobs, audit, notices,
cached_counts < lists < exports < jobs < api < admin
"""
