"""How are prints kept?

::

    prints/
      key.json        the secret of the index, for its owner's eyes only, made on first use
      prints.sqlite   which files were heard, what each print is of, where its peaks lie, which shards there are
      answers.sqlite  what was said of found files, to go on after an interruption; nothing is lost with it
      peaks/          packed peaks, one print after another, in files of up to 256 MiB
      shards/         the index of sketches; each file is made once, and never changed
      prints.lock     locked for as long as somebody changes anything; the system unlocks it when the process dies

What is killed, when, and what is left
--------------------------------------
A row is written after what it refers to is on disk.  So, killed:

* while prints are kept: peaks that no row refers to, which the next ones are written over;
* between them: prints that wait, and are not made again;
* while the index grows: a shard that no row refers to; removed by the next one;
* while rows are written: the transaction decides.

A row whose print was deleted stays as a number without a name, so that no shard's posting ever means another print.
"""

from riparian.stores.prints.answers import SqlAnswers
from riparian.stores.prints.held import Hold, SqlHeld
from riparian.stores.prints.kept import SqlPrints

__all__ = ["Hold", "SqlAnswers", "SqlHeld", "SqlPrints"]
