/* body_shapes.h - the shapes of all request bodies; see shape.h. */
#ifndef MODEL_BODY_SHAPES_H
#define MODEL_BODY_SHAPES_H

#include "model/shape.h"

extern const struct shape shape_create_pod, shape_update_pod, shape_action,
    shape_create_volume, shape_update_volume, shape_create_template,
    shape_update_template, shape_create_registry, shape_ssh_keys;

#endif
