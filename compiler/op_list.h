// op_list.h - every op of the IR, one row each; included wherever a table of ops is needed.
//
//   OP(KIND, kernel, file, tensors, attributes, call, inplace)
//
// kernel      the function in templates/ (without nk_) that computes it
// file        the template it stands in, without .c
// tensors     its tensor arguments in order: "y=" is written, "dx+" is written or, where the
//             attribute `accumulate` is set, added to; "x" is read; "b?" may be absent (NULL);
//             "xs*" takes a list of attr.inputs tensors (an array of pointers)
// attributes  the integers (and `scale`) that follow, fields of Attr (ir.h)
//             those behind "|" stay parameters of the function that a generated file has for each
//             shape
// call        what comes from the call at run time: groups of 32 images, count, learning rate, ...
// inplace     the argument whose memory the first one may take over when it dies here, or -1; EACH
//             and the first of a list: any of the list
//
// Order of the rows: images in, forward, loss, backward, update.

// images to batch-innermost groups, weights to the order in which kernels read them
OP(PACK_IMAGES, pack_images, pack, "y= images", "channels height width", "groups count", -1)
OP(PACK_WEIGHTS, pack_weights, pack, "p= w", "filters channels kernel_h kernel_w", "", -1)
OP(PACK_WEIGHTS_BACKWARD, pack_weights_backward, pack, "p= w", "filters channels kernel_h kernel_w",
   "", -1)
OP(WINOGRAD_PACK, winograd_pack, winograd, "u= w", "filters channels kernel_h", "", -1)
OP(WINOGRAD_PACK_BACKWARD, winograd_pack_backward, winograd, "u= w", "filters channels kernel_h",
   "", -1)

// forward
OP(CONV, conv, conv, "y+ x p b?", "channels height width filters kernel_h kernel_w accumulate",
   "groups", -1)
OP(WINOGRAD, winograd, winograd, "y+ scratch= x u b?",
   "channels height width filters kernel_h block accumulate", "groups", -1)
OP(DEPTHWISE, depthwise, depthwise, "y= x w b",
   "channels height width kernel_h kernel_w stride out_height out_width", "groups", -1)
OP(BATCHNORM, batchnorm, batchnorm, "z= mean= rstd= running_mean+ running_var+ y gamma beta",
   "channels size relu", "groups count", -1)
OP(BATCHNORM_INFER, batchnorm_infer, batchnorm, "z= y gamma beta running_mean running_var",
   "channels size relu", "groups", 1)
OP(BATCHNORM_STATS, batchnorm_stats, batchnorm,
   "scale= shift= mean= rstd= running_mean+ running_var+ y gamma beta", "channels size",
   "groups count", -1)
OP(BATCHNORM_RUNNING, batchnorm_running, batchnorm,
   "scale= shift= gamma beta running_mean running_var", "channels", "", -1)
OP(AFFINE_SUM, affine_sum, affine, "x= ys* ss* ts* as*", "inputs channels scale size relu",
   "groups", -1)
OP(AFFINE_POOL, affine_pool, affine, "p= y s t", "channels size", "groups", -1)
OP(RELU, relu, relu, "y= x", "channels size", "groups", 1)
OP(WEIGHTED_SUM, weighted_sum, weighted_sum, "y= xs* as*", "inputs channels scale size relu",
   "groups", EACH | 1)
OP(ATTENTION_RANGE, attention_range, attention, "range= m", "channels size", "groups", -1)
OP(ATTENTION, attention, attention, "y= m s range b", "channels size relu", "groups", 1)
OP(CONCAT_PART, concat_part, concat, "y= x", "total offset channels size", "groups", -1)
OP(ADAPTIVE_POOL, adaptive_pool, pool, "y= x", "channels height width out_height out_width",
   "groups", -1)
OP(AVERAGE_POOL, average_pool, pool, "y+ x", "channels height width kernel_h accumulate", "groups",
   -1)
OP(DROPOUT, dropout, dropout, "y= x", "channels", "groups seed step dropout", 1)

// loss and results
OP(LOSS, loss, loss, "dlogits= loss= logits labels", "classes", "count label_smoothing", -1)
OP(UNPACK_LOGITS, unpack_logits, pack, "logits= x", "classes", "count", -1)

// backward
OP(CONV_WEIGHTS_BACKWARD, conv_weights_backward, conv_weights_backward, "dw= x dy",
   "channels height width filters kernel_h kernel_w", "groups", -1)
OP(WINOGRAD_WEIGHTS, winograd_weights, winograd_weights, "du= scratch= x dy",
   "channels height width filters kernel_h block", "groups", -1)
OP(WINOGRAD_WEIGHTS_FINISH, winograd_weights_finish, winograd_weights, "dw= du",
   "channels filters kernel_h", "", -1)
OP(CHANNEL_SUM, channel_sum, conv_weights_backward, "db= dy", "channels size", "groups", -1)
OP(ZERO, zero, conv_weights_backward, "gs=*", "inputs size", "", -1)
OP(DEPTHWISE_BACKWARD, depthwise_backward, depthwise, "dx+ dy w",
   "channels height width kernel_h kernel_w stride out_height out_width accumulate", "groups", -1)
OP(DEPTHWISE_WEIGHTS_BACKWARD, depthwise_weights_backward, depthwise, "dw= db= x dy",
   "channels height width kernel_h kernel_w stride out_height out_width", "groups", -1)
OP(BATCHNORM_BACKWARD, batchnorm_backward, batchnorm, "dy= dgamma= dbeta= dz z? y mean rstd gamma",
   "channels size relu", "groups count", 3)
OP(RELU_BACKWARD, relu_backward, relu, "dx+ dy y", "channels size accumulate", "groups", 1)
OP(WEIGHTED_SUM_BACKWARD, weighted_sum_backward, weighted_sum, "dx+ partial=? dy x a?",
   "channels scale size accumulate", "groups", -1)
OP(SCALAR_BACKWARD, scalar_backward, weighted_sum, "da= partial a", "channels", "", -1)
OP(AFFINE_SUM_BACKWARD, affine_sum_backward, affine, "g= q= dx x ps=* ys* means* rstds*",
   "inputs channels size", "groups", 2)
OP(AFFINE_SUM_REDUCE, affine_sum_reduce, affine, "q= dx ps=* ys* means* rstds*",
   "inputs channels size", "groups", -1)
OP(AFFINE_SCALAR_BACKWARD, affine_scalar_backward, affine, "da= q p gamma? beta? a", "channels", "",
   -1)
OP(BATCHNORM_COEFFICIENTS, batchnorm_coefficients, batchnorm,
   "coefficients= dgamma= dbeta= mean rstd gamma qs* ps* as*", "inputs channels scale size",
   "count", -1)
OP(PULL, pull, affine, "dy+ y? coefficients? gs* as*", "inputs channels scale size accumulate",
   "groups count", 3)
OP(AFFINE_POOL_REDUCE, affine_pool_reduce, affine, "q= sums= dp y s t mean rstd", "channels size",
   "groups", -1)
OP(AFFINE_POOL_PULL, affine_pool_pull, affine, "dy= y dp s t coefficients", "channels size",
   "groups count", 1)
OP(ATTENTION_REDUCE, attention_reduce, attention, "sums= dy m s range", "channels size", "groups",
   -1)
OP(ATTENTION_BACKWARD, attention_backward, attention, "dm= ds= db= dy m s range sums b",
   "channels size", "groups", 3)
OP(CONCAT_PART_BACKWARD, concat_part_backward, concat, "dx+ dy",
   "total offset channels size accumulate", "groups", -1)
OP(ADAPTIVE_POOL_BACKWARD, adaptive_pool_backward, pool, "dx+ dy",
   "channels height width out_height out_width accumulate", "groups", -1)

// update
OP(SGD, sgd, sgd, "params+ velocity+ grads", "size", "learning_rate momentum weight_decay", -1)

// inference on one image, pixels in the lanes
OP(PAD, pad, conv_pixels, "y= x", "channels height width kernel_h kernel_w", "", -1)
OP(CONV_PIXELS, conv_pixels, conv_pixels, "y= x w b",
   "channels height width filters kernel_h kernel_w relu", "", -1)

// inference on one image, tiles in the lanes
OP(TILE_IMAGE, tile_image, tiles, "y= x", "channels height width tile", "", -1)
OP(TILE_SUM, tile_sum, tiles, "y= xs* as", "| inputs size relu", "", EACH | 1)
OP(TILE_CHANGE, tile_change, tiles, "y= x", "height width from tile | channels", "", -1)
OP(TILES_INPUT, tiles_input, tiles_winograd, "v= scratch= xs* as",
   "height width tile kernel_h inputs relu | channels", "", -1)
OP(TILES_FILTERS, tiles_filters, tiles_winograd, "y= scratch= v u b",
   "height width tile kernel_h filters blocks relu | channels", "", -1)
OP(TILES_MIX, tiles_mix, tiles_mix, "y= x w b",
   "height width tile filters blocks relu_x relu | channels", "", -1)
OP(TILES_DIRECT, tiles_direct, tiles_direct, "y= x w b",
   "height width kernel_h kernel_w filters blocks relu_x relu | channels", "", -1)
OP(TILES_DEPTHWISE, tiles_depthwise, tiles_direct, "y= x w b",
   "height width kernel_h kernel_w relu_x | channels", "", -1)
OP(TILES_STRIDED, tiles_strided, tiles_direct, "y= x w b",
   "height width kernel_h kernel_w stride out_height out_width relu_x | channels", "", -1)
OP(TILES_AVERAGE_POOL, tiles_average_pool, tiles_direct, "y= x",
   "height width kernel_h | channels", "", -1)
OP(TILES_RANGE, tiles_range, tiles_attention, "range= m", "height width tile | channels", "", -1)
OP(TILES_ATTENTION, tiles_attention, tiles_attention, "y= m s range gate", "| size relu", "", 1)
OP(TILES_POOL, tiles_pool, tiles_pool, "y= scratch= x",
   "height width tile out_height out_width out_tile | channels", "", -1)
OP(TILES_HEAD, tiles_head, tiles_head, "pooled= x w b",
   "height width tile filters blocks | channels", "", -1)
OP(TILE_LOGITS, tile_logits, tiles, "logits= x", "classes", "", -1)
OP(TILES_LINEAR, tiles_linear, tiles_head, "logits= x w b", "channels classes", "", -1)

// int8 inference of one image, [H][W][channels]; rules: the kernels' files say what they hold
OP(INT8_IMAGE, int8_image, int8_image, "y= image rule", "channels size scale", "", -1)
OP(INT8_CONV, int8_conv, int8_conv, "y= scratch= x w bias multiplier shift rule",
   "channels height width filters kernel_h kernel_w", "", -1)
OP(INT8_CONV_WIDE, int8_conv_wide, int8_conv, "y= scratch= x w bias multiplier shift rule",
   "channels height width filters kernel_h kernel_w", "", -1)
OP(INT8_DEPTHWISE, int8_depthwise, int8_depthwise, "y= x w bias multiplier shift rule",
   "channels height width kernel_h kernel_w stride out_height out_width", "", -1)
OP(INT8_DEPTHWISE_WIDE, int8_depthwise_wide, int8_depthwise, "y= x w bias multiplier shift rule",
   "channels height width kernel_h kernel_w stride out_height out_width", "", -1)
OP(INT8_SUM, int8_sum, int8_merge, "y= xs* rule", "inputs size", "", 1)
OP(INT8_CONCAT, int8_concat, int8_merge, "y= x rule", "total offset channels size", "", -1)
OP(INT8_ATTENTION, int8_attention, int8_merge, "y= m s rule", "size", "", 1)
OP(INT8_ADAPTIVE_POOL, int8_adaptive_pool, int8_pool, "y= x rule",
   "channels height width out_height out_width", "", -1)
OP(INT8_AVERAGE_POOL, int8_average_pool, int8_pool, "y= x rule", "channels height width kernel_h",
   "", -1)
OP(INT8_HEAD, int8_head, int8_head, "y= scratch= x w bias multiplier shift rule",
   "channels filters size", "", -1)
OP(INT8_LINEAR, int8_linear, int8_head, "logits= x w bias scales", "channels classes", "", -1)
