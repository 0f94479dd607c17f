/*
 * xml_scan.h
 *	  As much of XML as the answers of AWS's query services have: texts of the
 *	  children of one element.
 *
 * Attributes and namespaces are passed over.  A document type is refused, and
 * with it every entity but XML's own five.
 */
#ifndef DYN_XML_SCAN_H
#define DYN_XML_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* XML nested deeper than this is malformed; STS's answers have four levels. */
#define DYN_XML_MAX_DEPTH 32

typedef struct DynXmlField
{
	const char *name;
	char	   *text;			/* points into the XML, with a NUL behind it; NULL: there is no such child */
	size_t		len;
} DynXmlField;

/*
 * Finds the children of the one element at that path, and decodes their texts
 * over their own bytes.  The path begins at the root; a '*' before a name stands
 * for anything: "*Response/Error".  Prefixes of namespaces don't count.
 *
 * False: the text is not well-formed, nested too deeply, or the path or a field
 * is there twice, or a field has elements inside; its bytes are anything then.
 * That the path is not there is no failure.
 */
extern bool dyn_xml_read(char *xml, size_t len, const char *path, DynXmlField *fields, int nfields);

#endif							/* DYN_XML_SCAN_H */
