"""How do places where copies turn up say what they have: sitemaps, feeds, listings, torrent lists, folders, reports?"""
