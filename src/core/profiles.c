/*
 * profiles.c
 *	  Parser of AWS's shared files.
 *
 * A text is copied once and cut up in place: names and values are pieces of the
 * copy, so whatever could be a secret lies in one block that is wiped.  Sections
 * and settings are lists with the newest first.  A section is not merged with an
 * earlier one of its name when it is read, which would take a search for each,
 * but when something is looked up: the first match of the lists is the last one
 * of the files.
 */
#include "core/profiles.h"

#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"
#include "core/wipe.h"

typedef struct Setting Setting;

struct Setting
{
	Setting    *next;			/* an older one */
	const char *name;
	char	   *value;
	Setting    *subs;			/* sub-settings; those of a sub-setting are none */
};

typedef enum SectionKind
{
	SECTION_IGNORED,
	SECTION_PROFILE,
	SECTION_PLAIN_DEFAULT,		/* [default] of config, until it is known whether [profile default] is there */
	SECTION_SERVICES
} SectionKind;

/* A copy of a file's text, and its path. */
typedef struct DynSharedText
{
	struct DynSharedText *next;
	DynSharedFile file;
	size_t		size;			/* of all, for wiping */
	char	   *text;			/* in `bytes`, after the path */
	char		bytes[];
} DynSharedText;

/* A section. As a profile it stands for all sections of its name: those that follow it in the list, and itself. */
struct DynProfile
{
	DynProfile *next;			/* an older one */
	const DynSharedText *source;
	SectionKind kind;
	const char *name;
	Setting    *settings;
	int			line;
};

typedef struct Parser
{
	DynProfiles *profiles;
	const DynSharedText *source;
	int			line;
	DynProfile *section;		/* NULL: none has begun */
	Setting    *setting;		/* that an indented line continues; NULL: none */
	char	   *value_end;		/* its terminating NUL */
	bool		prefixed_default;	/* [profile default] has been seen */
	DynStatus  *status;
} Parser;

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
begins_comment(char c)
{
	return c == '#' || c == ';';
}

static char *
skip_blanks(char *text)
{
	while (is_blank(*text))
		text++;
	return text;
}

/* Ends the text after its last character that is not blank. */
static void
cut_blanks(char *text)
{
	size_t		len = strlen(text);

	while (len > 0 && is_blank(text[len - 1]))
		len--;
	text[len] = '\0';
}

/* False, `status` set to what is wrong with the line. `what` must quote nothing of it: any line may hold a secret. */
static bool
bad_line(Parser *parser, const char *what)
{
	return dyn_status_set(parser->status, DYN_NO_CREDENTIALS, "%.200s, line %d: %s", parser->source->bytes,
						  parser->line, what);
}

static bool
is_identifier(const char *name)
{
	return name[0] && name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./%@:+")] == '\0';
}

/* What follows the word and blanks; NULL: the header does not begin with the two. */
static char *
after_word(char *header, const char *word)
{
	size_t		len = strlen(word);

	return strncmp(header, word, len) == 0 && is_blank(header[len]) ? skip_blanks(header + len) : NULL;
}

/* What a section is by the text in its brackets, and its name. */
static SectionKind
section_kind(Parser *parser, char *header, const char **name)
{
	SectionKind kind = SECTION_PROFILE;
	char	   *rest = NULL;

	if (parser->source->file == DYN_CONFIG_FILE && (rest = after_word(header, "profile")) != NULL)
		parser->prefixed_default |= strcmp(rest, "default") == 0;
	else if (parser->source->file == DYN_CONFIG_FILE && (rest = after_word(header, "services")) != NULL)
		kind = SECTION_SERVICES;
	else if (parser->source->file == DYN_CONFIG_FILE)
		kind = strcmp(header, "default") == 0 ? SECTION_PLAIN_DEFAULT : SECTION_IGNORED;
	*name = rest ? rest : header;
	return is_identifier(*name) ? kind : SECTION_IGNORED;
}

/* A section begins; `header` is the line after its bracket. */
static bool
add_section(Parser *parser, char *header)
{
	char	   *end = strpbrk(header, "]#;");
	char	   *after;
	DynProfile *section;

	if (end == NULL || *end != ']')
		return bad_line(parser, "a section without \"]\"");
	after = skip_blanks(end + 1);
	if (*after && !begins_comment(*after))
		return bad_line(parser, "something follows the \"]\" of a section");
	section = dyn_arena_alloc(&parser->profiles->arena, sizeof(DynProfile));
	if (section == NULL)
		return dyn_status_no_memory(parser->status);
	*end = '\0';
	header = skip_blanks(header);
	cut_blanks(header);
	section->kind = section_kind(parser, header, &section->name);
	section->source = parser->source;
	section->line = parser->line;
	section->next = parser->profiles->sections;
	parser->profiles->sections = section;
	parser->section = section;
	parser->setting = NULL;
	return true;
}

/* Ends the line before a comment, which a blank comes before. */
static void
cut_comment(char *line)
{
	for (; *line; line++)
	{
		if (is_blank(line[0]) && begins_comment(line[1]))
		{
			*line = '\0';
			return;
		}
	}
}

/* Splits a line, and puts what it sets into the list. NULL, `status` set: it sets nothing, or no memory. */
static Setting *
add_assignment(Parser *parser, Setting **list, char *line)
{
	char	   *equals = strchr(line, '=');
	Setting    *setting;

	if (equals == NULL || equals == line)
	{
		bad_line(parser, equals ? "a setting without a name" : "neither a section nor \"name = value\"");
		return NULL;
	}
	setting = dyn_arena_alloc(&parser->profiles->arena, sizeof(Setting));
	if (setting == NULL)
	{
		dyn_status_no_memory(parser->status);
		return NULL;
	}
	*equals = '\0';
	cut_blanks(line);
	setting->name = line;
	setting->value = skip_blanks(equals + 1);
	cut_blanks(setting->value);
	setting->next = *list;
	*list = setting;
	return setting;
}

static bool
add_setting(Parser *parser, char *line)
{
	if (parser->section == NULL)
		return bad_line(parser, "a setting before any section");
	cut_comment(line);
	parser->setting = add_assignment(parser, &parser->section->settings, line);
	if (parser->setting == NULL)
		return false;
	parser->value_end = parser->setting->value + strlen(parser->setting->value);
	return true;
}

/*
 * An indented line: a sub-setting where the setting's own value is empty, else more of that value, which moves up to
 * it. A comment at its end is part of it.
 */
static bool
continue_setting(Parser *parser, char *line)
{
	size_t		len = strlen(line);

	if (parser->setting == NULL)
		return bad_line(parser, "an indented line that continues no setting");
	if (parser->setting->value[0] == '\0')
		return add_assignment(parser, &parser->setting->subs, line) != NULL;
	*parser->value_end = '\n';
	memmove(parser->value_end + 1, line, len + 1);
	parser->value_end += len + 1;
	return true;
}

static bool
add_line(Parser *parser, char *line)
{
	char	   *start = skip_blanks(line);

	if (*start == '\0' || begins_comment(*start))
		return true;
	cut_blanks(start);
	if (start > line)
		return continue_setting(parser, start);
	return *line == '[' ? add_section(parser, line + 1) : add_setting(parser, line);
}

/* Makes strings of the text's lines, and reads each. */
static bool
add_lines(Parser *parser, char *text, size_t len)
{
	char	   *end = text + len;

	while (text < end)
	{
		char	   *line = text;
		char	   *line_end = memchr(line, '\n', end - line);

		if (line_end == NULL)
			line_end = end;
		*line_end = '\0';
		parser->line++;
		if (memchr(line, '\0', line_end - line) != NULL)
			return bad_line(parser, "a NUL byte");
		if (!add_line(parser, line))
			return false;
		text = line_end + 1;
	}
	return true;
}

/* [default] of config is a profile, unless [profile default] is there, be it before or after. */
static void
settle_default(Parser *parser, const DynProfile *older)
{
	for (DynProfile *section = parser->profiles->sections; section != older; section = section->next)
		if (section->kind == SECTION_PLAIN_DEFAULT)
			section->kind = parser->prefixed_default ? SECTION_IGNORED : SECTION_PROFILE;
}

/* With room for a NUL after a last line that has no end. NULL: no memory. */
static DynSharedText *
copy_shared_text(DynSharedFile file, const char *path, const char *text, size_t len)
{
	size_t		path_size = strlen(path) + 1;
	size_t		size = sizeof(DynSharedText) + path_size + len + 1;
	DynSharedText *copy = malloc(size);

	if (copy == NULL)
		return NULL;
	copy->next = NULL;
	copy->file = file;
	copy->size = size;
	copy->text = copy->bytes + path_size;
	memcpy(copy->bytes, path, path_size);
	if (len > 0)
		memcpy(copy->text, text, len);
	return copy;
}

static void
free_shared_text(DynSharedText *text)
{
	dyn_wipe(text, text->size);
	free(text);
}

bool
dyn_profiles_add(DynProfiles *profiles, DynSharedFile file, const char *path, const char *text, size_t len,
				 DynStatus *status)
{
	static const char byte_order_mark[] = {'\xef', '\xbb', '\xbf'};
	Parser		parser = {.profiles = profiles, .status = status};
	DynProfile *older = profiles->sections;
	DynSharedText *copy;

	if (len >= sizeof(byte_order_mark) && memcmp(text, byte_order_mark, sizeof(byte_order_mark)) == 0)
	{
		text += sizeof(byte_order_mark);
		len -= sizeof(byte_order_mark);
	}
	copy = copy_shared_text(file, path, text, len);
	if (copy == NULL)
		return dyn_status_no_memory(status);
	parser.source = copy;
	if (!add_lines(&parser, copy->text, len))
	{
		profiles->sections = older;
		free_shared_text(copy);
		return false;
	}
	settle_default(&parser, older);
	copy->next = profiles->texts;
	profiles->texts = copy;
	return true;
}

/* The first section from this one on that has the kind and name; NULL: none. */
static const DynProfile *
find_section(const DynProfile *section, SectionKind kind, const char *name)
{
	while (section && (section->kind != kind || strcmp(section->name, name) != 0))
		section = section->next;
	return section;
}

/* The first section of the profile in that file, from this one on; NULL: none. */
static const DynProfile *
find_section_in(const DynProfile *section, DynSharedFile file, const char *name)
{
	section = find_section(section, SECTION_PROFILE, name);
	while (section && section->source->file != file)
		section = find_section(section->next, SECTION_PROFILE, name);
	return section;
}

/* NULL: none has the name. */
static const Setting *
find_setting(const Setting *setting, const char *name)
{
	while (setting && dyn_ascii_compare(setting->name, name) != 0)
		setting = setting->next;
	return setting;
}

const DynProfile *
dyn_profiles_find(const DynProfiles *profiles, const char *name)
{
	return find_section(profiles->sections, SECTION_PROFILE, name);
}

const char *
dyn_profile_setting_in(const DynProfile *profile, DynSharedFile file, const char *name)
{
	const DynProfile *section = find_section_in(profile, file, profile->name);

	for (; section; section = find_section_in(section->next, file, profile->name))
	{
		const Setting *setting = find_setting(section->settings, name);

		if (setting)
			return setting->value;
	}
	return NULL;
}

const char *
dyn_profile_setting(const DynProfile *profile, const char *name)
{
	const char *value = dyn_profile_setting_in(profile, DYN_CREDENTIALS_FILE, name);

	return value ? value : dyn_profile_setting_in(profile, DYN_CONFIG_FILE, name);
}

const char *
dyn_profiles_service_setting(const DynProfiles *profiles, const char *services, const char *service,
							 const char *setting)
{
	const DynProfile *section = find_section(profiles->sections, SECTION_SERVICES, services);

	for (; section; section = find_section(section->next, SECTION_SERVICES, services))
	{
		const Setting *parent = find_setting(section->settings, service);
		const Setting *sub = parent ? find_setting(parent->subs, setting) : NULL;

		if (parent)
			return sub ? sub->value : NULL;
	}
	return NULL;
}

bool
dyn_profile_place(const DynProfile *profile, DynSharedFile file, const char **path, int *line)
{
	const DynProfile *section = find_section_in(profile, file, profile->name);

	if (section == NULL)
		return false;
	for (; section; section = find_section_in(section->next, file, profile->name))
	{
		*path = section->source->bytes;
		*line = section->line;
	}
	return true;
}

void
dyn_profiles_free(DynProfiles *profiles)
{
	while (profiles->texts)
	{
		DynSharedText *next = profiles->texts->next;

		free_shared_text(profiles->texts);
		profiles->texts = next;
	}
	dyn_arena_free(&profiles->arena);
	memset(profiles, 0, sizeof(*profiles));
}
