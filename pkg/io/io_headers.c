/* io_headers.c - see io_headers.h */
#include "io/io_headers.h"

#include <sys/types.h>

#include <sha256.h>
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
io_headers_of(const struct curl_dl *curl, const struct io_headers *headers)
{
	bool is_github = headers->host == HOST_GITHUB;
	struct curl_slist *list = NULL;

	if (headers->authorization.len > 0)
		add_value(curl, &list, "Authorization: ",
		    headers->authorization);
	else if (headers->key.len > 0 && headers->sign)
		add_value(curl, &list, "X-Amz-Security-Token: ",
		    headers->key);
	else if (headers->key.len > 0)
		add_value(curl, &list, "Authorization: Bearer ",
		    headers->key);
	if (headers->accept != NULL)
		add(curl, &list, headers->accept);
	else
		add(curl, &list, is_github ?
		    "Accept: application/vnd.github+json" :
		    "Accept: application/json");
	if (is_github)
		add(curl, &list, "X-GitHub-Api-Version: 2022-11-28");
	add(curl, &list, "Content-Type: application/json");
	/* No round of "may I?" before a large body.  (What libcurl signs must
	 * not be empty.) */
	if (!headers->sign)
		add(curl, &list, "Expect:");
	return list;
}

/* S3 insists on it, and libcurl before 8.1 does not say it by itself; what it
 * signs is the same digest. */
static void
add_digest(const struct curl_dl *curl, struct curl_slist **list,
    struct str body)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];

	SHA256Data((const uint8_t *)(body.len > 0 ? body.data : ""), body.len,
	    hex);
	add_value(curl, list, "X-Amz-Content-Sha256: ", str_from(hex));
}

void
io_headers_own(const struct curl_dl *curl, struct io_transfer *transfer,
    struct str key, bool sign)
{
	struct str bearer = strbuf_str(&transfer->bearer);
	struct str etag = strbuf_str(&transfer->etag);
	struct str if_match = strbuf_str(&transfer->if_match);
	struct io_headers headers = {
		.host = transfer->host,
		.key = bearer.len > 0 ? bearer : key,
		.authorization = strbuf_str(&transfer->authorization),
		.sign = sign,
		.accept = transfer->quiet_ms > 0 ?
		    "Accept: text/event-stream" : NULL,
	};

	if (transfer->sink.write != NULL) {
		add(curl, &transfer->headers, "Accept: */*");
		if (bearer.len > 0)
			add_value(curl, &transfer->headers,
			    "Authorization: Bearer ", bearer);
		return;
	}
	if (bearer.len == 0 && headers.authorization.len == 0 &&
	    etag.len == 0 && if_match.len == 0 && transfer->quiet_ms == 0 &&
	    !sign)
		return;
	transfer->headers = io_headers_of(curl, &headers);
	if (sign)
		add_digest(curl, &transfer->headers,
		    strbuf_str(&transfer->body));
	if (etag.len > 0)
		add_value(curl, &transfer->headers, "If-None-Match: ", etag);
	if (if_match.len > 0)
		add_value(curl, &transfer->headers, "If-Match: ", if_match);
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
