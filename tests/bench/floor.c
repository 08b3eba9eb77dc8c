/*
 * floor.c - the least that a plan has to do, done with bare libraries.
 *
 *	floor FILE URL
 *
 * Every event of the file, by libyaml; then GET the URL, by libcurl, and
 * parse the answer, by one call of json-c.  Nothing is decided, compared or
 * kept: it is what podform is measured against (tests/bench/run), not an
 * example.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <json-c/json.h>

#include "events.h"

struct body {
	char *data;
	size_t len, cap;
};

static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct body *body = ctx;
	size_t more = size * n;

	if (body->len + more + 1 > body->cap) {
		body->cap = (body->len + more + 1) * 2;
		body->data = realloc(body->data, body->cap);
		if (body->data == NULL)
			abort();
	}
	memcpy(body->data + body->len, data, more);
	body->len += more;
	body->data[body->len] = '\0';
	return more;
}

static int
read_listing(const char *url)
{
	struct body body = {0};
	struct json_object *root, *pods = NULL;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	CURL *easy = curl_easy_init();
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
	CURLcode code = curl_easy_perform(easy);
	if (code != CURLE_OK || body.data == NULL) {
		fprintf(stderr, "%s: %s\n", url, curl_easy_strerror(code));
		return 1;
	}
	root = json_tokener_parse(body.data);
	if (!json_object_object_get_ex(root, "pods", &pods)) {
		fprintf(stderr, "%s: not a listing\n", url);
		return 1;
	}
	printf("%zu pods\n", json_object_array_length(pods));
	json_object_put(root);
	free(body.data);
	curl_easy_cleanup(easy);
	curl_global_cleanup();
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3)
		return events_read(argv[1]) || read_listing(argv[2]);
	fputs("usage: floor FILE URL\n", stderr);
	return 3;
}
