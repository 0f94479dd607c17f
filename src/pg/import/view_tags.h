/*
 * view_tags.h
 *	  Tags of a feature view, which Feast gives its table in AWS.
 */
#ifndef DYN_VIEW_TAGS_H
#define DYN_VIEW_TAGS_H

#include "foreign/foreign.h"

#include "core/registry.h"

/*
 * The value of the option `tags` of a view's foreign table on this server.  NULL:
 * it has none; if the view has tags that its table can't have, a WARNING says so.
 */
extern char *dyn_view_tags(const DynRegView *view, const ForeignServer *server);

#endif							/* DYN_VIEW_TAGS_H */
