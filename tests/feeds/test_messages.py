"""Messages of three kinds give what a catalogue keeps; hostile ones end in one error, within bounds."""

import tracemalloc
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from riparian.catalogue.holdings import Holding
from riparian.catalogue.terms import Says, Use, terms_of
from riparian.errors import InputError
from riparian.feeds.messages import parts
from riparian.feeds.messages.deals import deals_of, us_of
from riparian.feeds.messages.parts import PART_BYTES_MAX, Part
from riparian.feeds.messages.read import read_message
from tests.feeds.mutate import mutate

ERN3 = """<?xml version="1.0" encoding="utf-8"?>
<ern:NewReleaseMessage xmlns:ern="http://ddex.net/xml/ern/382">
 <MessageHeader>
  <MessageSender>
   <PartyId>PADPIDA2000000001X</PartyId><PartyName><FullName>North Wire</FullName></PartyName>
  </MessageSender>
  <MessageRecipient><PartyName><FullName>A Service</FullName></PartyName></MessageRecipient>
  <MessageCreatedDateTime>2021-03-01T10:00:00Z</MessageCreatedDateTime>
 </MessageHeader>
 <ResourceList>
  <SoundRecording>
   <SoundRecordingId><ISRC>GB-ABC-12-00001</ISRC></SoundRecordingId>
   <IndirectSoundRecordingId><ISWC>T-034.524.680-1</ISWC></IndirectSoundRecordingId>
   <ResourceReference>A1</ResourceReference>
   <ReferenceTitle><TitleText>Harbour
      Lights</TitleText><SubTitle>Live</SubTitle></ReferenceTitle>
   <Duration>PT3M25.5S</Duration>
   <SoundRecordingDetailsByTerritory>
    <TerritoryCode>Worldwide</TerritoryCode>
    <Title TitleType="TranslatedTitle" LanguageAndScriptCode="de"><TitleText>Hafenlichter</TitleText></Title>
    <DisplayArtist><PartyName><FullName>The Saltmarsh</FullName></PartyName>
     <ArtistRole>MainArtist</ArtistRole></DisplayArtist>
    <DisplayArtist><PartyName><FullName>Ida Lund</FullName></PartyName>
     <ArtistRole>FeaturedArtist</ArtistRole></DisplayArtist>
    <ResourceReleaseDate>2020</ResourceReleaseDate>
    <PLine><Year>2020</Year><PLineText>(P) 2020 Reed Records</PLineText></PLine>
    <TechnicalSoundRecordingDetails>
     <File><FileName>a.flac</FileName><FilePath>resources/</FilePath>
      <HashSum><HashSum>x</HashSum><HashSumValue>D41D8CD98F00B204E9800998ECF8427E</HashSumValue>
       <HashSumAlgorithmType>MD5</HashSumAlgorithmType></HashSum></File>
    </TechnicalSoundRecordingDetails>
   </SoundRecordingDetailsByTerritory>
  </SoundRecording>
  <Image>
   <ImageType>FrontCoverImage</ImageType>
   <ResourceReference>A2</ResourceReference>
   <ImageDetailsByTerritory><TechnicalImageDetails><File><FileName>a.jpg</FileName></File></TechnicalImageDetails>
   </ImageDetailsByTerritory>
  </Image>
 </ResourceList>
 <ReleaseList>
  <Release>
   <ReleaseId><ICPN>602557190298</ICPN></ReleaseId>
   <ReleaseReference>R0</ReleaseReference>
   <ReferenceTitle><TitleText>Harbours</TitleText></ReferenceTitle>
   <ReleaseResourceReferenceList>
    <ReleaseResourceReference ReleaseResourceType="PrimaryResource">A1</ReleaseResourceReference>
    <ReleaseResourceReference ReleaseResourceType="SecondaryResource">A2</ReleaseResourceReference>
   </ReleaseResourceReferenceList>
   <ReleaseType>Album</ReleaseType>
   <ReleaseDetailsByTerritory>
    <DisplayArtistName>The Saltmarsh</DisplayArtistName><LabelName>Reed</LabelName>
    <ResourceGroup>
     <ResourceGroup><SequenceNumber>2</SequenceNumber>
      <ResourceGroupContentItem><SequenceNumber>7</SequenceNumber>
       <ReleaseResourceReference>A1</ReleaseResourceReference></ResourceGroupContentItem>
     </ResourceGroup>
    </ResourceGroup>
   </ReleaseDetailsByTerritory>
   <GlobalOriginalReleaseDate>2020-05-01</GlobalOriginalReleaseDate>
  </Release>
 </ReleaseList>
 <DealList>
  <ReleaseDeal>
   <DealReleaseReference>R0</DealReleaseReference>
   <Deal><DealTerms>
    <CommercialModelType>SubscriptionModel</CommercialModelType>
    <Usage><UseType>OnDemandStream</UseType><UseType>ConditionalDownload</UseType></Usage>
    <TerritoryCode>DE</TerritoryCode><TerritoryCode>FR</TerritoryCode>
    <ValidityPeriod><StartDate>2020-05-01</StartDate><EndDate>2021-04-30</EndDate></ValidityPeriod>
   </DealTerms></Deal>
   <Deal><DealTerms>
    <CommercialModelType>SubscriptionModel</CommercialModelType>
    <Usage><UseType>OnDemandStream</UseType></Usage>
    <TerritoryCode>AT</TerritoryCode>
    <ValidityPeriod><StartDate>2020-05-01</StartDate><EndDate>2021-04-30</EndDate></ValidityPeriod>
   </DealTerms></Deal>
  </ReleaseDeal>
 </DealList>
</ern:NewReleaseMessage>
"""
ERN4 = """<e:NewReleaseMessage xmlns:e="http://ddex.net/xml/ern/43">
 <e:MessageHeader>
  <e:MessageSender><e:PartyId>PADPIDA2000000001X</e:PartyId></e:MessageSender>
  <e:SentOnBehalfOf><e:PartyName><e:FullName>North Wire</e:FullName></e:PartyName></e:SentOnBehalfOf>
  <e:MessageCreatedDateTime>0001-01-01T00:00:00</e:MessageCreatedDateTime>
 </e:MessageHeader>
 <PartyList>
  <Party><PartyReference>P1</PartyReference><PartyName><FullName>The Saltmarsh</FullName></PartyName></Party>
  <Party><PartyReference>P2</PartyReference><PartyName><FullName>Reed</FullName></PartyName></Party>
 </PartyList>
 <ResourceList>
  <SoundRecording>
   <ResourceReference>A1</ResourceReference>
   <SoundRecordingEdition>
    <ResourceId><ISRC>GBABC1200001</ISRC><ProprietaryId Namespace="P">77</ProprietaryId></ResourceId>
    <PLine><PLineText>\u2117 2020 Reed Records</PLineText></PLine>
    <TechnicalDetails><DeliveryFile><File><URI>../../etc/passwd</URI></File></DeliveryFile></TechnicalDetails>
   </SoundRecordingEdition>
   <DisplayTitleText>Harbour Lights (Live)</DisplayTitleText>
   <DisplayTitle><TitleText>Harbour Lights</TitleText><SubTitle>Live</SubTitle></DisplayTitle>
   <DisplayArtist><ArtistPartyReference>P1</ArtistPartyReference></DisplayArtist>
   <Duration>PT3M25S</Duration>
  </SoundRecording>
  <SoundRecording IsSupplemental="true">
   <ResourceReference>A2</ResourceReference><ResourceId><ISRC>GBABC1200002</ISRC></ResourceId>
   <DisplayTitleText>A song in it</DisplayTitleText>
  </SoundRecording>
  <Video>
   <ResourceReference>A3</ResourceReference>
   <ResourceId><ISRC>none</ISRC><ProprietaryId Namespace="P">78</ProprietaryId></ResourceId>
   <DisplayTitleText>A film</DisplayTitleText>
  </Video>
 </ResourceList>
 <ReleaseList>
  <Release>
   <ReleaseReference>R0</ReleaseReference><ReleaseId><GRid>A1-2425G-ABC1234002-M</GRid></ReleaseId>
   <DisplayTitleText>Harbours</DisplayTitleText><ReleaseLabelReference>P2</ReleaseLabelReference>
   <ResourceGroup><ResourceGroupContentItem><ReleaseResourceReference>A1</ReleaseResourceReference>
   </ResourceGroupContentItem></ResourceGroup>
  </Release>
  <TrackRelease>
   <ReleaseReference>R1</ReleaseReference><ReleaseResourceReference>A1</ReleaseResourceReference>
  </TrackRelease>
 </ReleaseList>
 <DealList>
  <ReleaseDeal>
   <DealReleaseReference>R1</DealReleaseReference>
   <Deal><DealTerms><TerritoryCode>Worldwide</TerritoryCode><ExcludedTerritoryCode>US</ExcludedTerritoryCode>
     <UseType>UseForGenerativeAI</UseType></DealTerms></Deal>
   <Deal><DealTerms><TerritoryCode>2136</TerritoryCode><UseType>Stream</UseType></DealTerms></Deal>
   <Deal><DealTerms><TerritoryCode>DE</TerritoryCode><TakeDown>true</TakeDown></DealTerms></Deal>
   <Deal><DealTerms><TerritoryCode>DE</TerritoryCode><UseType>UserMakeAvailableUserProvided</UseType></DealTerms></Deal>
  </ReleaseDeal>
 </DealList>
</e:NewReleaseMessage>
"""
MEAD = """<mead:MeadMessage xmlns:mead="http://ddex.net/xml/mead/101">
 <MessageHeader><MessageSender><PartyName><FullName>North Wire</FullName></PartyName></MessageSender></MessageHeader>
 <ResourceInformationList><ResourceInformation>
  <ResourceSummary><ResourceId><ISRC>GBABC1200001</ISRC></ResourceId>
   <DisplayTitle LanguageAndScriptCode="en"><TitleText><Title>Harbour Lights</Title></TitleText></DisplayTitle>
   <DisplayArtist><FullName><Name>The Saltmarsh</Name></FullName></DisplayArtist>
  </ResourceSummary>
  <Mood><Value>Sentimental</Value></Mood>
 </ResourceInformation></ResourceInformationList>
</mead:MeadMessage>
"""


def given(table: pa.Table) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]


def taken(octets: bytes) -> Holding:
    said = read_message("m.xml", octets)
    assert said is not None
    return said


def test_what_ern_3_says_is_taken() -> None:
    said = taken(ERN3.encode())
    assert (said.document.kind, said.document.version, said.document.sender) == ("ern", "ern/382", "North Wire")
    assert said.document.stated_us == us_of("2021-03-01T10:00:00Z")
    assert given(said.recordings) == [
        {
            "recording": "GBABC1200001",
            "title": "Harbour Lights (Live)",
            "artist": "The Saltmarsh feat. Ida Lund",
            "album": "Harbours",
            "duration_ms": 205_500,
            "released": date(2020, 1, 1),
            "isrc": "GBABC1200001",
            "owner": "Reed Records",
            "licensed": "North Wire",
            "upc": "0602557190298",
            "iswc": "T0345246801",
            "label": "Reed",
        }
    ]
    assert [(row["kind"], row["value"]) for row in given(said.identifiers)] == [
        ("isrc", "GBABC1200001"),
        ("iswc", "T0345246801"),
    ]
    assert given(said.titles) == [
        {"recording": "GBABC1200001", "title": "Hafenlichter", "language": "de", "kind": "translated"}
    ]
    assert given(said.tracks) == [{"release": "0602557190298", "recording": "GBABC1200001", "disc": 2, "track": 7}]
    assert given(said.artworks) == [{"release": "0602557190298", "kind": "front", "path": "a.jpg"}]
    assert [(row["path"], row["algorithm"]) for row in given(said.fixity)] == [("resources//a.flac", "md5")]


def test_deals_of_ern_3_are_put_together() -> None:
    terms = {term.use: term for term in terms_of(taken(ERN3.encode()).terms)}
    stream = terms[Use.STREAM]
    assert stream.territories == {"DE", "FR", "AT"}
    assert terms[Use.DOWNLOAD].territories == {"DE", "FR"}
    assert (stream.begins_us, stream.ends_us) == (us_of("2020-05-01"), us_of("2021-05-01")), "the last day counts"
    assert (stream.grantee, stream.holder, stream.conditions) == ("A Service", "North Wire", "SubscriptionModel")


def test_what_ern_4_says_is_taken() -> None:
    said = taken(ERN4.encode())
    assert said.document.stated_us is None, "senders without a clock write the first day"
    sound, film = given(said.recordings)
    assert sound == {
        "recording": "GBABC1200001",
        "title": "Harbour Lights (Live)",
        "artist": "The Saltmarsh",
        "album": "Harbours",
        "duration_ms": 205_000,
        "isrc": "GBABC1200001",
        "owner": "Reed Records",
        "licensed": "North Wire;PADPIDA2000000001X",
        "label": "Reed",
    }
    assert film["recording"] == "P:78"
    assert given(said.releases)[0]["grid"] == "A12425GABC1234002M"
    assert not said.fixity.num_rows, "a path out of the message is none"
    assert [why for _, why in said.refused] == [
        "it is a part of another recording, and not delivered itself",
        "`none` is no ISRC",
        "a deal is for `2136`, wanted Worldwide or countries of ISO 3166",
    ]


def test_deals_of_ern_4_permit_no_more_than_they_say() -> None:
    terms = terms_of(taken(ERN4.encode()).terms)
    assert [(term.use, term.says, term.territories, term.except_in) for term in terms] == [
        (Use.TRAIN, Says.PERMITTED, frozenset(), {"US"}),
        (Use.STREAM, Says.RESERVED, {"DE"}, frozenset()),
        (Use.DOWNLOAD, Says.RESERVED, {"DE"}, frozenset()),
    ]


def test_what_mead_says_is_taken() -> None:
    said = taken(MEAD.encode())
    assert given(said.recordings) == [
        {
            "recording": "GBABC1200001",
            "title": "Harbour Lights",
            "artist": "The Saltmarsh",
            "isrc": "GBABC1200001",
            "licensed": "North Wire",
        }
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings_are_those_that_the_message_states(encoding: str) -> None:
    text = ERN3.replace("utf-8", encoding).replace("Ida Lund", "Ida L\u00fcnd")
    assert "L\u00fcnd" in given(taken(text.encode(encoding)).recordings)[0]["artist"]


def test_xml_of_another_kind_is_no_message() -> None:
    assert read_message("m.xml", b"<rss><item/></rss>") is None


LAUGHS = "".join(f"<!ENTITY l{n} '&l{n - 1};&l{n - 1};&l{n - 1};&l{n - 1};&l{n - 1};'>" for n in range(1, 30))
ROOT = "<NewReleaseMessage><Party>{}</Party></NewReleaseMessage>"
HOSTILE = {
    "a billion laughs": f"<!DOCTYPE x [<!ENTITY l0 'ha'>{LAUGHS}]>" + ROOT.format("&l29;"),
    "laughs in an attribute": f"<!DOCTYPE x [<!ENTITY l0 'ha'>{LAUGHS}]><NewReleaseMessage a='&l29;'/>",
    "laughs in parameters": "<!DOCTYPE x [<!ENTITY % a 'ha'><!ENTITY % b '%a;%a;'>%b;]><NewReleaseMessage/>",
    "a file of this machine": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + ROOT.format("&e;"),
    "an address": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><NewReleaseMessage><Party/></NewReleaseMessage>',
    "a type of no content": "<!DOCTYPE NewReleaseMessage><NewReleaseMessage><Party/></NewReleaseMessage>",
    "in UTF-16": "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE x [<!ENTITY e 'ha'>]>" + ROOT.format("&e;"),
    "an entity of nobody": "<NewReleaseMessage><Party>&nobody;</Party></NewReleaseMessage>",
    "deep": "<NewReleaseMessage>" + "<Party>" * 5_000,
    "one part of everything": "<NewReleaseMessage><Party>" + "<PartyName/>" * (PART_BYTES_MAX // 12 + 99_999),
    "a long word": "<NewReleaseMessage><Party><PartyReference>" + "x" * (11 << 20),
    "instructions before it": "<?a?>" * 13_000 + "<!--a-->" * 9_000 + "<x",
    "broken off": ERN3[:2_000],
    "nothing": "",
    "no XML": "ISRC,title\n",
    "two roots": "<NewReleaseMessage/><NewReleaseMessage/>",
}


@pytest.mark.parametrize("situation", HOSTILE)
def test_a_hostile_message_ends_in_one_error(situation: str) -> None:
    octets = HOSTILE[situation].encode("utf-16" if situation == "in UTF-16" else "utf-8")
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="wanted a message of DDEX"):
            read_message("m.xml", octets)
        assert tracemalloc.get_traced_memory()[1] < 400 << 20
    finally:
        tracemalloc.stop()


def test_a_message_of_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PARTS_MAX", 1_000)
    with pytest.raises(InputError, match="more than 1,000 parts"):
        read_message("m.xml", b"<NewReleaseMessage>" + b"<Party/>" * 20_000)


def test_a_damaged_message_is_read_or_refused() -> None:
    for text in (ERN3, ERN4, MEAD):
        for seed in range(150):
            try:
                said = read_message("m.xml", mutate(text.encode(), seed))
            except InputError:
                continue
            if said is not None:
                said.recordings.validate(full=True)


def test_deals_without_a_country_are_for_everywhere_and_periods_may_be_open() -> None:
    part: Part = {"DealReleaseReference": ["R0"], "Deal": [{"DealTerms": [{"UseType": ["Stream"]}]}]}
    about, (deal,), refused = deals_of(part)
    assert (about, deal.territories, deal.begins_us, deal.ends_us, refused) == (["R0"], frozenset(), None, None, [])


def test_a_moment_without_a_zone_is_utc() -> None:
    assert us_of("2020-01-01T00:00:00") == datetime(2020, 1, 1, tzinfo=UTC).timestamp() * 1e6
