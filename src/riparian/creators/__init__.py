"""What an artist can check: is this message genuine, is this domain ours, what of mine was found?"""
