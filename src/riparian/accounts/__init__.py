"""Evidence on accounts: does this account listen, or does it copy?

One module a question.  All of them bet against people as they are declared in ``people.toml``
(:mod:`riparian.accounts.people`), on the counts that :mod:`riparian.accounts.tally` keeps, and
:mod:`riparian.accounts.weigh` joins their bets into one number of bits an account.
"""
