/*
 * xml_scan.c
 *	  As much of XML as the answers of AWS's query services have.
 */
#include "core/xml_scan.h"

#include <string.h>

#include "core/ascii.h"
#include "core/utf8.h"

typedef struct XmlName
{
	const char *data;
	size_t		len;
} XmlName;

typedef struct XmlScan
{
	char	   *pos;
	char	   *end;
	char	   *text;			/* what was decoded since the last tag, over bytes that were taken */
	char	   *text_end;
	XmlName		open[DYN_XML_MAX_DEPTH];
	int			depth;			/* elements that are open */
	bool		has_root;

	const char *path;
	int			path_depth;
	bool		path_seen;
	bool		inside;			/* the element at the path is open */
	DynXmlField *fields;
	int			nfields;
	DynXmlField *field;			/* open, NULL: none */
} XmlScan;

/* ---- characters ---- */

static bool
xml_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* XML has no other control characters, not even as references. */
static bool
is_xml_char(unsigned code)
{
	return code >= 0x20 || code == '\t' || code == '\r' || code == '\n';
}

static bool
xml_skip_space(XmlScan *s)
{
	char	   *start = s->pos;

	while (s->pos < s->end && xml_is_space(*s->pos))
		s->pos++;
	return s->pos > start;
}

static bool
xml_take(XmlScan *s, const char *literal)
{
	size_t		len = strlen(literal);

	if ((size_t) (s->end - s->pos) < len || memcmp(s->pos, literal, len) != 0)
		return false;
	s->pos += len;
	return true;
}

/* Goes behind the next occurrence.  False: there is none. */
static bool
skip_past(XmlScan *s, const char *literal)
{
	for (; s->pos < s->end; s->pos++)
		if (xml_take(s, literal))
			return true;
	return false;
}

/* Names of ASCII, the first byte no digit, '-' or '.', which come before the letters. */
static bool
take_name(XmlScan *s, XmlName *name)
{
	name->data = s->pos;
	while (s->pos < s->end && dyn_is_alnum_or(*s->pos, "_-.:"))
		s->pos++;
	name->len = s->pos - name->data;
	return name->len > 0 && name->data[0] > '9';
}

/* ---- text ---- */

/* "#65" or "#x41", up to its ';'.  False: it is no character, or one that can't be shown. */
static bool
numeric_reference(const char *digits, size_t len, unsigned *code)
{
	unsigned	base = len > 0 && digits[0] == 'x' ? 16 : 10;

	*code = 0;
	for (size_t i = base == 16; i < len; i++)
	{
		char		c = digits[i];
		unsigned	digit = base;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			digit = c - 'A' + 10;
		if (digit >= base)
			return false;
		*code = *code * base + digit;
		if (*code > 0x10ffff)
			return false;
	}
	/* no controls, surrogates, non-characters */
	return is_xml_char(*code) && !(*code >= 0x7f && *code <= 0x9f) && !(*code >= 0xd800 && *code <= 0xdfff) &&
		(*code & 0xfffe) != 0xfffe;
}

/* A reference, behind its '&': a character is never longer than what stands for it. */
static bool
take_reference(XmlScan *s)
{
	static const struct
	{
		const char *name;
		char		c;
	}			entities[] = {{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}};
	char	   *start = s->pos + 1;
	unsigned	code;

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (xml_take(s, entities[i].name))
		{
			*s->text_end++ = entities[i].c;
			return true;
		}
	if (!xml_take(s, "#") || !skip_past(s, ";") || !numeric_reference(start, s->pos - 1 - start, &code))
		return false;
	s->text_end = dyn_utf8_put(s->text_end, code);
	return true;
}

/* Text up to the next '<'; outside of the root it is white space. */
static bool
take_text(XmlScan *s)
{
	while (s->pos < s->end && *s->pos != '<')
	{
		char		c = *s->pos++;

		if (!is_xml_char((unsigned char) c) || (s->depth == 0 && !xml_is_space(c)))
			return false;
		if (s->depth == 0)
			continue;
		if (c != '&')
			*s->text_end++ = c;
		else if (!take_reference(s))
			return false;
	}
	return true;
}

/* Behind "<![CDATA[". */
static bool
take_cdata(XmlScan *s)
{
	while (s->depth > 0 && !xml_take(s, "]]>"))
	{
		if (s->pos == s->end || !is_xml_char((unsigned char) *s->pos))
			return false;
		*s->text_end++ = *s->pos++;
	}
	return s->depth > 0;
}

/* ---- elements ---- */

/* The name without its namespace, against a part of a path or a field's name. */
static bool
xml_name_is(const XmlName *name, const char *want, size_t want_len)
{
	const char *colon = memchr(name->data, ':', name->len);
	const char *local = colon ? colon + 1 : name->data;
	size_t		len = name->data + name->len - local;

	if (want_len > 0 && want[0] == '*' && len >= want_len - 1)
		return memcmp(local + len - (want_len - 1), want + 1, want_len - 1) == 0;
	return len == want_len && memcmp(local, want, len) == 0;
}

/* Are the open elements those of the path? */
static bool
at_path(const XmlScan *s)
{
	const char *part = s->path;

	if (s->depth != s->path_depth)
		return false;
	for (int i = 0; i < s->depth; i++)
	{
		size_t		len = strcspn(part, "/");

		if (!xml_name_is(&s->open[i], part, len))
			return false;
		part += len + 1;
	}
	return true;
}

/* What is wanted of the element that was opened last. */
static bool
open_wanted(XmlScan *s)
{
	if (at_path(s))
	{
		s->inside = !s->path_seen;
		s->path_seen = true;
		return s->inside;
	}
	if (s->field)
		return false;
	for (int i = 0; s->inside && s->depth == s->path_depth + 1 && i < s->nfields; i++)
		if (xml_name_is(&s->open[s->depth - 1], s->fields[i].name, strlen(s->fields[i].name)))
			s->field = &s->fields[i];
	return s->field == NULL || s->field->text == NULL;
}

/* Behind the tag that ends the innermost element; text goes on where that tag's '>' was. */
static void
close_element(XmlScan *s)
{
	if (s->field)
	{
		s->field->text = s->text;
		s->field->len = s->text_end - s->text;
		*s->text_end = '\0';
		s->field = NULL;
	}
	if (s->depth == s->path_depth)
		s->inside = false;
	s->depth--;
	s->text = s->text_end = s->pos - 1;
}

/* Passes over attributes, up to the end of the tag. */
static bool
skip_attributes(XmlScan *s)
{
	XmlName		name;
	bool		space = xml_skip_space(s);

	while (s->pos < s->end && *s->pos != '>' && *s->pos != '/')
	{
		char		quote;

		if (!space || !take_name(s, &name))
			return false;
		xml_skip_space(s);
		if (!xml_take(s, "="))
			return false;
		xml_skip_space(s);
		if (s->pos == s->end || (*s->pos != '"' && *s->pos != '\''))
			return false;
		quote = *s->pos++;
		while (s->pos < s->end && *s->pos != quote && *s->pos != '<')
			s->pos++;
		if (s->pos == s->end || *s->pos++ != quote)
			return false;
		space = xml_skip_space(s);
	}
	return true;
}

/* Behind '<'. */
static bool
take_start_tag(XmlScan *s)
{
	char	   *tag_end;
	bool		empty;

	if (s->depth == DYN_XML_MAX_DEPTH || (s->depth == 0 && s->has_root))
		return false;
	if (!take_name(s, &s->open[s->depth]) || !skip_attributes(s))
		return false;
	tag_end = s->pos;
	empty = xml_take(s, "/");
	if (!xml_take(s, ">"))
		return false;
	s->has_root = true;
	s->depth++;
	s->text = s->text_end = tag_end;
	if (!open_wanted(s))
		return false;
	if (empty)
		close_element(s);
	return true;
}

/* Behind "</". */
static bool
take_end_tag(XmlScan *s)
{
	XmlName		name;
	const XmlName *start;

	if (s->depth == 0 || !take_name(s, &name))
		return false;
	xml_skip_space(s);
	start = &s->open[s->depth - 1];
	if (!xml_take(s, ">") || name.len != start->len || memcmp(name.data, start->data, name.len) != 0)
		return false;
	close_element(s);
	return true;
}

/* Anything that begins with '<'. */
static bool
take_markup(XmlScan *s)
{
	if (xml_take(s, "<?"))
		return skip_past(s, "?>");
	if (xml_take(s, "<!--"))
		return skip_past(s, "-->");
	if (xml_take(s, "<![CDATA["))
		return take_cdata(s);
	if (xml_take(s, "</"))
		return take_end_tag(s);
	/* what else begins with "<!" is a declaration, whose '!' is no name */
	return xml_take(s, "<") && take_start_tag(s);
}

bool
dyn_xml_read(char *xml, size_t len, const char *path, DynXmlField *fields, int nfields)
{
	XmlScan		s = {.pos = xml, .end = xml + len, .path = path, .path_depth = 1, .fields = fields, .nfields = nfields};

	for (const char *p = path; *p; p++)
		s.path_depth += *p == '/';
	for (int i = 0; i < nfields; i++)
		fields[i].text = NULL;
	while (take_text(&s))
	{
		if (s.pos == s.end)
			return s.depth == 0 && s.has_root;
		if (!take_markup(&s))
			return false;
	}
	return false;
}
