"""The same chat as Channels' tutorial teaches it: one consumer, `group_send`, a Redis channel layer, daphne.

It stores nothing and asks nobody to sign in, so that what it has to do is less than Foyer does. It is here to be
measured, in a virtualenv of its own, and is no part of the product.
"""
