"""Release messages of both generations are read; hostile XML ends in one error."""

from pathlib import Path, PurePosixPath

import pytest

from riparian.catalogue.releases import Said, isrc_of
from riparian.errors import InputError
from riparian.feeds.ddex import Message, Sent, read_message

ERN3 = """<?xml version="1.0" encoding="utf-8"?>
<ern:NewReleaseMessage xmlns:ern="http://ddex.net/xml/ern/382">
 <MessageHeader>
  <MessageSender>
   <PartyId>PADPIDA2000000001X</PartyId><PartyName><FullName>North Wire</FullName></PartyName>
  </MessageSender>
 </MessageHeader>
 <ResourceList>
  <SoundRecording>
   <SoundRecordingId><ISRC>GB-ABC-12-00001</ISRC></SoundRecordingId>
   <ReferenceTitle><TitleText>Harbour
      Lights</TitleText></ReferenceTitle>
   <SoundRecordingDetailsByTerritory>
    <DisplayArtist><PartyName><FullName>The Saltmarsh</FullName></PartyName></DisplayArtist>
    <DisplayArtist><PartyName><FullName>Ida Lund</FullName></PartyName></DisplayArtist>
    <PLine><Year>2020</Year><PLineText>(P) 2020 Reed Records</PLineText></PLine>
    <TechnicalSoundRecordingDetails>
     <File><FileName>a.flac</FileName><FilePath>resources/</FilePath></File>
    </TechnicalSoundRecordingDetails>
   </SoundRecordingDetailsByTerritory>
  </SoundRecording>
 </ResourceList>
</ern:NewReleaseMessage>
"""
ERN4 = """<NewReleaseMessage xmlns="http://ddex.net/xml/ern/43">
 <MessageHeader>
  <MessageSender><PartyId>PADPIDA2000000001X</PartyId></MessageSender>
  <SentOnBehalfOf><PartyName><FullName>North Wire</FullName></PartyName></SentOnBehalfOf>
 </MessageHeader>
 <PartyList>
  <Party><PartyReference>P1</PartyReference><PartyName><FullName>The Saltmarsh</FullName></PartyName></Party>
 </PartyList>
 <ResourceList>
  <SoundRecording>
   <SoundRecordingEdition>
    <ResourceId><ISRC>GBABC1200001</ISRC></ResourceId>
    <PLine><PLineText>2020 Reed Records</PLineText></PLine>
    <TechnicalDetails><DeliveryFile><File><URI>resources/a.flac</URI></File></DeliveryFile></TechnicalDetails>
    <TechnicalDetails><DeliveryFile><File><URI>../../etc/passwd</URI></File></DeliveryFile></TechnicalDetails>
    <TechnicalDetails><DeliveryFile><File><URI>/etc/passwd</URI></File></DeliveryFile></TechnicalDetails>
   </SoundRecordingEdition>
   <DisplayTitleText>Harbour Lights</DisplayTitleText>
   <DisplayArtist><ArtistPartyReference>P1</ArtistPartyReference></DisplayArtist>
  </SoundRecording>
 </ResourceList>
</NewReleaseMessage>
"""
FILES = (PurePosixPath("resources/a.flac"),)
SAID = {
    "ERN 3": (
        ERN3,
        ("North Wire", "PADPIDA2000000001X"),
        Sent(Said("Harbour Lights", "The Saltmarsh, Ida Lund", "GBABC1200001", "Reed Records"), FILES),
    ),
    "ERN 4": (
        ERN4,
        ("North Wire", "PADPIDA2000000001X"),
        Sent(Said("Harbour Lights", "The Saltmarsh", "GBABC1200001", "Reed Records"), FILES),
    ),
}


@pytest.mark.parametrize("version", SAID)
def test_what_a_message_says_is_read(version: str, tmp_path: Path) -> None:
    text, senders, sent = SAID[version]
    (tmp_path / "m.xml").write_text(text, encoding="utf-8")
    assert read_message(tmp_path / "m.xml") == Message(senders, (sent,))


def test_xml_of_another_kind_is_no_message(tmp_path: Path) -> None:
    (tmp_path / "m.xml").write_text("<ManifestMessage/>")
    assert read_message(tmp_path / "m.xml") is None


LAUGHS = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 10))
HOSTILE = {
    "a thousand million laughs": (f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><x>&l9;</x>', "document type"),
    "a file of ours": ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "document type"),
    "a document type elsewhere": ('<!DOCTYPE x SYSTEM "http://example.org/x.dtd"><x/>', "document type"),
    "elements without end": ("<a>" * 100_000, "depth"),
    "an entity of nobody": ("<x>&e;</x>", "no XML"),
    "nothing": ("", "no element found"),
    "a picture": ("\x89PNG\r\n\x1a\n", "no XML"),
    "what breaks off": (ERN3[:700], "no XML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused_in_one_clear_error(name: str, tmp_path: Path) -> None:
    text, said = HOSTILE[name]
    (tmp_path / "m.xml").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=rf"m\.xml`.*{said}.*wanted a message of DDEX"):
        read_message(tmp_path / "m.xml")


def test_a_text_without_end_is_cut(tmp_path: Path) -> None:
    (tmp_path / "m.xml").write_text(ERN4.replace("Harbour Lights", "ha &amp; " * 100_000), encoding="utf-8")
    message = read_message(tmp_path / "m.xml")
    assert message is not None
    assert 1_000 < len(message.recordings[0].said.title) < 10_000


def test_a_folder_is_no_message(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_message(tmp_path)


def test_a_code_is_read_in_every_spelling() -> None:
    assert {isrc_of(text) for text in ("GB-ABC-12-00001", "gbabc1200001", "GB ABC 12 00001")} == {"GBABC1200001"}
    assert isrc_of("GBABC120000") == isrc_of("") == ""
