/*
 * test_xml_scan.c
 *	  Texts of elements, in XML that is well-formed, and in XML that is not.
 */
#include "core/xml_scan.h"

#include <stdlib.h>

#include "core/buf.h"
#include "golden.h"
#include "tap.h"

/* Reads r/e/a and r/e/b of memory that ends with the XML; "-" for what is not there, "bad" for what is refused. */
static void
is_read_bytes(const char *xml, size_t len, const char *want)
{
	DynXmlField fields[] = {{.name = "a", .text = "old"}, {.name = "b", .text = "old"}};
	char	   *copy = golden_copy(xml, len);
	DynBuf		got = {0};
	size_t		shown = 0;

	while (shown < len && shown < 80 && xml[shown] >= ' ')
		shown++;
	if (!dyn_xml_read(copy, len, "r/e", fields, 2))
		dyn_buf_str(&got, "bad");
	else
		for (int i = 0; i < 2; i++)
		{
			dyn_buf_byte(&got, '|');
			if (fields[i].text)
			{
				dyn_buf_add(&got, fields[i].text, fields[i].len);
				ok(fields[i].text[fields[i].len] == '\0', "a NUL is behind it");
			}
			else
				dyn_buf_byte(&got, '-');
		}
	is_text(got.data, got.len, want, "%zu bytes: %.*s", len, (int) shown, xml);
	dyn_buf_free(&got);
	free(copy);
}

static void
is_read(const char *xml, const char *want)
{
	is_read_bytes(xml, strlen(xml), want);
}

static void
test_elements(void)
{
	is_read("<r><e><a>1</a><b>2</b></e></r>", "|1|2");
	is_read("<?xml version='1.0' encoding=\"UTF-8\"?>\n<r>\n <e>\n  <b>2</b>\n </e>\n <x/>\n</r>\n", "|-|2");
	is_read("<r><e/></r>", "|-|-");
	is_read("<r/>", "|-|-");
	is_read("<r><e></e ></r >", "|-|-");
	is_read("<r><e><a/><b></b></e></r>", "||");
	is_read("<r x='>' y = \"/e>\" ><e\n z='&'><a q=''>1</a><b q=\"'\" />t</e></r>", "|1|");
	is_read("<n:r xmlns:n='u'><n:e><m:a>1</m:a><b>2</b></n:e></n:r>", "|1|2");
	is_read("<r><e><a> 1\r\n2\t</a></e></r>", "| 1\r\n2\t|-");
	is_read("<r><e><a>\xc3\xbc</a></e></r>", "|\xc3\xbc|-");
	is_read("<!-- <r> --><?p <r>?><r><!-- -- ---><e><?p?><a>1<!--x-->2<?y?>3</a></e></r><!----> <?z?>", "|123|-");
}

/* Only what stands where it should. */
static void
test_other_places(void)
{
	is_read("<r><a>1</a><e><b>2</b></e><a>3</a></r>", "|-|2");
	is_read("<r><e><x><a>1</a></x><b>2</b></e></r>", "|-|2");
	is_read("<r><x><e><a>1</a></e></x></r>", "|-|-");
	is_read("<e><a>1</a></e>", "|-|-");
	is_read("<x><e><a>1</a></e></x>", "|-|-");
	is_read("<r><ee><a>1</a></ee><E><a>1</a></E></r>", "|-|-");
	is_read("<r><e><aa>1</aa><A>1</A><b>2</b></e></r>", "|-|2");
	is_read("<r><e/><x><a>1</a></x></r>", "|-|-");
	is_read("<r><e a='1'><!-- <a>1</a> --><x><![CDATA[<a>1</a>]]></x></e></r>", "|-|-");
}

static void
test_twice(void)
{
	is_read("<r><e><a>1</a><a>2</a></e></r>", "bad");
	is_read("<r><e><a/><a/></e></r>", "bad");
	is_read("<r><e><x:a>1</x:a><y:a>1</y:a></e></r>", "bad");
	is_read("<r><e><a>1</a></e><e><b>2</b></e></r>", "bad");
	is_read("<r><e/><e/></r>", "bad");
	is_read("<r/><r/>", "bad");
	is_read("<r><e><a>1<b>2</b></a></e></r>", "bad");
	is_read("<r><e><a>1<x/></a></e></r>", "bad");
	is_read("<r><e><x>1<b>2</b></x><x/></e></r>", "|-|-");
}

static void
test_references(void)
{
	is_read("<r><e><a>&lt;&gt;&amp;&quot;&apos;</a></e></r>", "|<>&\"'|-");
	is_read("<r><e><a>&amp;lt;&#38;#65;</a></e></r>", "|&lt;&#65;|-");
	is_read("<r><e><a>&#65;&#x42;&#x4a;&#x4B;&#0000000000000067;</a></e></r>", "|ABJKC|-");
	is_read("<r><e><a>&#xfc;&#8217;&#x1F600;&#x10fffd;</a></e></r>",
			"|\xc3\xbc\xe2\x80\x99\xf0\x9f\x98\x80\xf4\x8f\xbf\xbd|-");
	is_read("<r><e><a>&#xD;&#10;&#9;</a></e></r>", "|\r\n\t|-");
	is_read("<r><e><a><![CDATA[<b>&lt;]]]]><![CDATA[>\n]]>x</a></e></r>", "|<b>&lt;]]>\nx|-");
}

static void
test_bad_references(void)
{
	static const char *const references[] = {
		"&", "&;", "& ", "&lt", "&nbsp;", "&LT;", "&x;", "&#;", "&#x;", "&#0;", "&#x00;", "&#1;", "&#27;", "&#x1f;",
		"&#127;", "&#x85;", "&#xd800;", "&#xdfff;", "&#xfffe;", "&#x1ffff;", "&#x110000;", "&#4294967361;",
		"&#18446744073709551681;", "&#-65;", "&#+65;", "&# 65;", "&#6 5;", "&#6a;", "&#X41;", "&#x4g;", "&#65",
	};

	for (size_t i = 0; i < LENGTH(references); i++)
	{
		char		xml[100];

		snprintf(xml, sizeof(xml), "<r><e><a>%s</a></e></r>", references[i]);
		is_read(xml, "bad");
		/* where nobody looks, too */
		snprintf(xml, sizeof(xml), "<r><x>%s</x></r>", references[i]);
		is_read(xml, "bad");
	}
}

static void
test_malformed(void)
{
	static const char *const texts[] = {
		"", " ", "x", "{}", "<", "<r", "<r/", "<r/ >", "<r>", "</r>", "<r></r", "<r></>", "<r></ r>", "<>", "< r/>",
		"<1/>", "<-/>",
		"<r/>x", "x<r/>", "<r/></r>", "<r></R>", "<r></x:r>", "<r><e></r></e>", "<r><e></r>", "<r></rr>", "<rr></r>",
		"<r/>&lt;", "<r/><![CDATA[", "<![CDATA[<r/>", "<![CDATA[ ]]><r/>", "<r/><![CDATA[]]>", "<r><![CDATA[</r>", "<r><![CDATA[]]</r>", "<r><![cdata[]]></r>",
		"<!-- <r/>", "<!--><r/>", "<r/><!-", "<?x <r/>", "<r/><?", "<r x/>", "<r x=/>", "<r x=1/>", "<r x='1/>",
		"<r x='1\"/>", "<r x='1'y='2'/>", "<r ='1'/>", "<r x='<'/>", "<r x='1' x2></r>", "<r></r x='1'>",
		"<r><\xc3\xbc/></r>", "<r\xc3\xbc/>",
		"<!DOCTYPE r><r/>", "<!doctype r><r/>", "<!DOCTYPE r [<!ENTITY a 'b'>]><r>&a;</r>", "<r><!ENTITY a 'b'></r>",
		"<r><!ELEMENT r ANY></r>", "<r><!></r>", "<r><!></r>", "<r><e><a>\x01</a></e></r>", "<r>\x1b</r>",
		"<r><![CDATA[\x08]]></r>",
	};
	static const char whole[] =
	"<?xml version='1.0'?><r a='b'><!-- c --><e x=\"y\"><a>1&amp;&#65;<![CDATA[2]]></a><b/></e ></r>";

	for (size_t i = 0; i < LENGTH(texts); i++)
		is_read(texts[i], "bad");
	for (size_t n = 0; n < sizeof(whole) - 1; n++)
		is_read_bytes(whole, n, "bad");
	is_read(whole, "|1&A2|");
	is_read_bytes(whole, sizeof(whole), "bad");
	is_read_bytes("<r><e><a>\0</a></e></r>", 23, "bad");
	is_read_bytes("<r><![CDATA[\0]]></r>", 20, "bad");
}

/* `n` open tags and as many closing ones. */
static void
is_read_nested(int n, const char *want)
{
	DynBuf		xml = {0};

	for (int i = 0; i < n; i++)
		dyn_buf_str(&xml, i ? "<x>" : "<r>");
	for (int i = n; i-- > 0;)
		dyn_buf_str(&xml, i ? "</x>" : "</r>");
	is_read_bytes(xml.data, xml.len, want);
	dyn_buf_free(&xml);
}

static void
test_huge(void)
{
	DynBuf		xml = {0};

	is_read_nested(DYN_XML_MAX_DEPTH, "|-|-");
	is_read_nested(DYN_XML_MAX_DEPTH + 1, "bad");
	is_read_nested(100000, "bad");
	dyn_buf_str(&xml, "<r>");
	for (int i = 0; i < 100000; i++)
		dyn_buf_str(&xml, "<x y='z'>&lt;<!-- --></x>");
	dyn_buf_str(&xml, "<e><b>2</b></e></r>");
	is_read_bytes(xml.data, xml.len, "|-|2");
	dyn_buf_free(&xml);
}

static bool
has_text(const char *xml, const char *path)
{
	DynXmlField field = {.name = "a"};
	size_t		len = strlen(xml);
	char	   *copy = golden_copy(xml, len);
	bool		found = dyn_xml_read(copy, len, path, &field, 1) && field.text;

	free(copy);
	return found;
}

static void
test_paths(void)
{
	ok(has_text("<r><a>1</a></r>", "r"), "children of the root");
	ok(has_text("<OneResponse><OneResult><a>1</a></OneResult></OneResponse>", "*Response/*Result"), "any beginning");
	ok(has_text("<n:OneResponse><Result><a>1</a></Result></n:OneResponse>", "*Response/*Result"), "or none");
	ok(!has_text("<OneResponses><Result><a>1</a></Result></OneResponses>", "*Response/*Result"), "but that end");
	ok(!has_text("<sponse><Result><a>1</a></Result></sponse>", "*Response/*Result"), "as a whole");
	ok(!has_text("<x><r><e><a>1</a></e></r></x>", "r/e"), "from the root on");
	ok(has_text("<r><s><t><u><a>1</a></u></t></s></r>", "r/s/t/u"), "deep down");
	ok(!has_text("<r><s><t><v><a>1</a></v></t></s></r>", "r/s/t/u"), "by every name");
	ok(!has_text("<r><x><t><u><a>1</a></u></t></x></r>", "r/s/t/u"), "of them");
}

int
main(void)
{
	test_elements();
	test_other_places();
	test_twice();
	test_references();
	test_bad_references();
	test_malformed();
	test_huge();
	test_paths();
	return done_testing();
}
