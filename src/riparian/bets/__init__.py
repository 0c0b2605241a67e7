"""Anytime-valid statistics: bets against a null, and what may be done with their winnings.

==============================================  =====================================================
:func:`~riparian.bets.mixtures.average`         mixture likelihood (Robbins 1970; universal inference)
:func:`~riparian.bets.bounded.mean_bits`        betting on a bounded mean (Waudby-Smith & Ramdas 2024,
                                                section 4)
:func:`~riparian.bets.bounded.upper_bound_mean` its confidence bound (the same, theorem 3)
:func:`~riparian.bets.calibrate.calibrate`      p-value to e-value (Vovk & Wang 2021, equation 2)
:func:`~riparian.bets.calibrate.adjust`         running maximum to e-value (Dawid et al. 2011)
:func:`~riparian.bets.calibrate.conformal_p`    rank among nulls (Vovk, Gammerman & Shafer 2005)
:func:`~riparian.bets.combine.mix_bits`         any dependence (Vovk & Wang 2021, section 4)
:func:`~riparian.bets.combine.in_turn`          successive bets (Ville 1939; Vovk & Wang, section 5)
:func:`~riparian.bets.ebh.e_bh`                 a list, wrong in a given share (Wang & Ramdas 2022)
:func:`~riparian.bets.channels.log_e`           whose copies a copy was mixed from (Tardos 2008; Furon &
                                                Desoubeaux 2014)
==============================================  =====================================================

This room knows nothing of music.
"""
