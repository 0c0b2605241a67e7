"""Is this sound one of ours?

Sound becomes *peaks*: places in time and pitch where it stands out.  A few peaks together make a *hash*, which stays
the same when the sound is recoded, equalised, or played a little faster or higher.  A few hashes of each recording,
those most likely to survive, are its *sketch*, by which candidates are found among millions; its peaks, all of them,
say whether a candidate is right, and where.

Conventions
-----------
* Sound is heard at ``RATE`` samples a second, in mono.
* Times of peaks are in ticks of ``TICK_S``; pitches in steps of ``1 / STEPS`` octave above ``LOWEST_HZ``.
* Recordings are numbers, from 0, in the order in which a store came to hold them; what they are called is its business.
"""
