/*
 * github_link.h - the next page, out of a Link header; private to
 * pkg/github.
 */
#ifndef GITHUB_GITHUB_LINK_H
#define GITHUB_GITHUB_LINK_H

#include "base/str.h"

/*
 * The target of rel="next" as it stands, absent if the header names none.
 * False when the header cannot be read, or its target is no URL that could
 * be asked.
 */
bool github_link_next(struct str header, struct str *next);

/* The value of `page` in a URL's query, or 0. */
int64_t github_link_page(struct str url);

#endif
