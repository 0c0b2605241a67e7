"""Letters of our own making, in the words that laws and forms use; nobody in them is anybody."""

GOOD_FAITH = (
    "I have a good faith belief that use of the copyrighted materials described above is not authorized by the"
    " copyright owner, its agent, or the law."
)
PERJURY = (
    "The information in this notification is accurate, and under penalty of perjury, I am authorized to act on behalf"
    " of the owner of an exclusive right that is allegedly infringed."
)
FAIR_USE = "I have taken fair use into consideration."

NOTICE = f"""Dear Sir or Madam,

I write on behalf of Harbour Lane Records. Our original sound recording is at https://harbourlane.example/low-tide
Title: Low Tide
Artist: The Tidewaters
ISRC: GB-AAA-24-00017

The infringing copies, which we ask you to remove, are at:
https://files.example/d/low-tide.mp3
https://files.example/d/low-tide.flac.

{GOOD_FAITH}
{FAIR_USE}
{PERJURY}

Signed: Jo Doe
jo.doe@harbourlane.example
Tel: +44 20 7946 0123
"""

COUNTER = """This is a counter notice about https://files.example/d/low-tide.mp3, which you removed.

I have a good faith belief under penalty of perjury that the material was removed or disabled as a result of mistake or
misidentification. I consent to the jurisdiction of Federal District Court for the district in which my address is
located, and I will accept service of process from the person who provided the notification.

Sam Roe, 4 Quay Street, Harbour, CA 90000, sam.roe@mail.example
"""

RETRACTION = """Hello,

we hereby retract our takedown notice of 3 March; the recording is licensed. Please restore
https://files.example/d/low-tide.mp3

Jo Doe, Harbour Lane Records
"""

FORM = """**Are you the copyright holder or authorized to act on the copyright owner's behalf?**

Yes, I am authorized to act on the copyright owner's behalf.

**Please provide a detailed description of the original copyrighted work that has allegedly been infringed. If
possible, include a URL to where it is posted online.**

The sound recording Low Tide, https://harbourlane.example/low-tide

**What files should be taken down? Please provide URLs for each file, or if the entire repository, the
repository's URL.**

https://github.com/nobody/tides/blob/main/low-tide.mp3

**Have you searched for any forks of the allegedly infringing files or repositories? Each fork is a distinct repository
and must be identified separately if you believe it is infringing and wish to have it taken down.**

https://github.com/somebody/tides/blob/main/low-tide.mp3

**Is the work licensed under an open source license?**

No

**What would be the best solution for the alleged infringement?**

Removal.

**Do you have the alleged infringer's contact information? If so, please provide it.**

No.

**I have a good faith belief that use of the copyrighted materials described above on the infringing web pages is not
authorized by the copyright owner, or its agent, or the law.**

**I have taken <a href="https://www.lumendatabase.org/topics/22">fair use</a> into consideration.**

**I swear, under penalty of perjury, that the information in this notification is accurate and that I am the copyright
owner, or am authorized to act on behalf of the owner, of an exclusive right that is allegedly infringed.**

**So that we can get back to you, please provide either your telephone number or physical address.**

+44 20 7946 0123

**Please type your full legal name below to sign this request.**

Jo Doe
"""

COUNTER_FORM = """**Are you the owner of the content that has been disabled, or authorized to act on the
owner's behalf?**

Yes, I am the content owner.

**What files were taken down? Please provide URLs for each file, or if the entire repository, the
repository's URL.**

https://github.com/nobody/tides

**Do you want to make changes to your repository or do you want to dispute the notice?**

Dispute the notice.

**I swear, under penalty of perjury, that I have a good-faith belief that the material was removed or disabled as a
result of a mistake or misidentification of the material to be removed or disabled.**

**I consent to the jurisdiction of Federal District Court for the judicial district in which my address is located (if
in the United States, otherwise the Northern District of California where GitHub is located), and I will accept service
of process from the person who provided the DMCA notification or an agent of such person.**

**Please type your full legal name below to sign this request.**

Sam Roe
"""

ITEM = """<Item>{time}<Title>Low Tide</Title>{artist}<FileName>low-tide.torrent</FileName><FileSize>7340134</FileSize>
<Hash Type="SHA1">6AF9F5BF5493B6BB72F15F77C2E541D606328AEA</Hash></Item>"""


def acns(version: str) -> bytes:
    """Write a message as senders of a version did, with what they got wrong."""
    namespace = {"1.0": "http://www.movielabs.com/ACNS", "1.1": "http://www.movielabs.com/ACNS"}.get(version, "")
    namespace = "http://www.acns.net/ACNS" if version == "1.2" else namespace
    opening = f'<Infringement xmlns="{namespace}">' if namespace else "<Infringement>"
    time = "" if version == "0.6" else "<TimeStamp>2026-03-03T12:00:00Z</TimeStamp>"
    later = (
        '<Type Retraction="false" Comments="as told">DMCA</Type><Detection><Asset><OriginalAssetName>Low Tide'
        '</OriginalAssetName></Asset><ContentMatched Audio="true" MatchThreshold="90"/><VerificationID>v1'
        "</VerificationID></Detection>"
        if namespace
        else ""
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
{opening}
<Case><ID>A17</ID><Ref_URL>https://vendor.example/A17</Ref_URL></Case>
<Complainant><Entity>Harbour Lane Records</Entity><Contact>Jo Doe</Contact><Email>jo.doe@harbourlane.example</Email>
</Complainant><Service_Provider><Entity>Great Wire</Entity><Email>abuse@wire.example</Email></Service_Provider>
<Source><TimeStamp>2026-03-03T12:00:00Z</TimeStamp><IP_Address>192.0.2.17</IP_Address><Port>21123</Port>
<Type>BITTORRENT</Type></Source>
<Content>{ITEM.format(time=time, artist="<Artist>The Tidewaters</Artist>")}</Content>
<History><Notice ID="1" TimeStamp="2026-03-01T00:00:00Z">earlier</Notice></History>{later}
</Infringement>""".encode()


def mail(text: str, *, subject: str = "DMCA", kind: str = "text/plain", extra: str = "") -> bytes:
    """Write a mail around a text."""
    return (
        "Return-Path: <jo.doe@harbourlane.example>\r\nReceived: from mail.example by files.example; Tue, 3 Mar 2026"
        " 10:00:01 +0000\r\nFrom: Jo Doe <jo.doe@harbourlane.example>\r\nTo: copyright@files.example\r\n"
        f"Date: Tue, 3 Mar 2026 11:00:00 +0100\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n{extra}"
        f"Content-Type: {kind}; charset=utf-8\r\n\r\n{text}"
    ).encode()
