"""How things arrive: access logs in the formats that operators have, tables beside them, personal exports.

Everything that comes in from outside passes this door.  Beyond it identifiers are codes, times are
microseconds UTC and columns are those of :data:`riparian.schema.ACCESS`.
"""
