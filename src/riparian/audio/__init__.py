"""Samples and spectra in memory: sound as arrays, without a file, a codec or a device."""
