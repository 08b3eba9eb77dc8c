/*
 * events.h - every event of a YAML file, by bare libyaml; for floor.c and
 * events.c, two programs because linking libcurl costs more than the events
 * of a thousand pods.
 */
#ifndef BENCH_EVENTS_H
#define BENCH_EVENTS_H

#include <stdio.h>

#include <yaml.h>

/* Returns the exit status. */
static int
events_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	yaml_parser_t parser;
	yaml_event_type_t type;

	if (file == NULL || !yaml_parser_initialize(&parser)) {
		perror(path);
		return 1;
	}
	yaml_parser_set_input_file(&parser, file);
	do {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			fprintf(stderr, "%s: %s\n", path, parser.problem);
			return 1;
		}
		type = event.type;
		yaml_event_delete(&event);
	} while (type != YAML_STREAM_END_EVENT);
	yaml_parser_delete(&parser);
	fclose(file);
	return 0;
}

#endif
