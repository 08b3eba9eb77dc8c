/* io_headers.c - see io_headers.h */
#include "io/io_headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add(const struct curl_dl *curl, struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl->slist_append(*list, text);
	if (longer == NULL)
		fail_out_of_memory();
	*list = longer;
}

/* A header with a secret in it; one piece of memory, so that growing leaves
 * no copy behind. */
static void
add_value(const struct curl_dl *curl, struct curl_slist **list,
    const char *name, struct str value)
{
	size_t size = strlen(name) + value.len + 1;
	char *line = heap_array(NULL, size, 1);

	snprintf(line, size, "%s" STR_FMT, name, STR_ARG(value));
	add(curl, list, line);
	explicit_bzero(line, size);
	free(line);
}

struct curl_slist *
io_headers_of(const struct curl_dl *curl, enum http_host host, struct str key,
    const char *accept)
{
	struct curl_slist *list = NULL;

	if (key.len > 0)
		add_value(curl, &list, "Authorization: Bearer ", key);
	if (accept != NULL)
		add(curl, &list, accept);
	else
		add(curl, &list, host == HOST_GITHUB ?
		    "Accept: application/vnd.github+json" :
		    "Accept: application/json");
	if (host == HOST_GITHUB)
		add(curl, &list, "X-GitHub-Api-Version: 2022-11-28");
	add(curl, &list, "Content-Type: application/json");
	/* No round of "may I?" before a large body. */
	add(curl, &list, "Expect:");
	return list;
}

void
io_headers_own(const struct curl_dl *curl, struct io_transfer *transfer,
    struct str key)
{
	struct str bearer = strbuf_str(&transfer->bearer);
	struct str etag = strbuf_str(&transfer->etag);

	if (transfer->sink.write != NULL) {
		add(curl, &transfer->headers, "Accept: */*");
		if (bearer.len > 0)
			add_value(curl, &transfer->headers,
			    "Authorization: Bearer ", bearer);
		return;
	}
	if (bearer.len == 0 && etag.len == 0 && transfer->quiet_ms == 0)
		return;
	transfer->headers = io_headers_of(curl, transfer->host,
	    bearer.len > 0 ? bearer : key,
	    transfer->quiet_ms > 0 ? "Accept: text/event-stream" : NULL);
	if (etag.len > 0)
		add_value(curl, &transfer->headers, "If-None-Match: ",
		    etag);
}

void
io_headers_wipe(const struct curl_dl *curl, struct curl_slist **list)
{
	for (struct curl_slist *line = *list; line != NULL; line = line->next)
		explicit_bzero(line->data, strlen(line->data));
	if (*list != NULL)
		curl->slist_free_all(*list);
	*list = NULL;
}
