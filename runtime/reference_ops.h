// reference_ops.h - every op of a network, naive, in double precision: the specification that the
// kernels of all engines and the finite-difference tests are held against.
//
// Tensors are contiguous NCHW; weights are PyTorch's (out, in, kh, kw), depthwise (C, 1, kh, kw).
// A forward function overwrites its outputs.  A backward function ADDS to the gradients it is given
// (dx, dw, ...); a gradient that is not wanted is NULL.  A batch of zero images is legal
// everywhere.
#ifndef NAGO_REFERENCE_OPS_H
#define NAGO_REFERENCE_OPS_H

#include <stdbool.h>
#include <stddef.h>

// Logical shape of an activation; [batch][channels][height][width].
typedef struct {
    int batch, channels, height, width;
} ReferenceShape;
size_t reference_count(ReferenceShape shape); // elements

// ---- convolution --------------------------------------------------------------------------------

// y[n,k,i,j] = bias[k] + sum_{c,u,v} w[k,c,u,v] x[n,c, i*stride+u-pad_h, j*stride+v-pad_w], zeros
// outside the image.  depthwise: out.channels == in.channels and channel k sees channel k alone.
typedef struct {
    ReferenceShape in, out;
    int kernel_h, kernel_w, stride, pad_h, pad_w;
    bool depthwise;
} ReferenceConv;
// Fills the padding (kernel/2 a side) and the output size floor((side + 2 pad - kernel)/stride)
// + 1.
ReferenceConv reference_conv(ReferenceShape in, int out_channels, int kernel_h, int kernel_w,
                             int stride, bool depthwise);
void reference_conv_forward(const ReferenceConv *conv, const double *x, const double *w,
                            const double *bias, double *y); // bias NULL: none
void reference_conv_backward(const ReferenceConv *conv, const double *x, const double *w,
                             const double *dy, double *dx, double *dw, double *dbias);

// ---- batch normalisation ------------------------------------------------------------------------

// y = gamma (x - mean) / sqrt(var + 1e-5) + beta, per channel.
// Training: mean and biased variance of the batch; they are handed out as mean[] and
// inverse[] = 1/sqrt(var + 1e-5) for the backward pass.  Where running_mean is not NULL, the
// running statistics move by 0.1 towards the mean and the unbiased variance (divisor max(count - 1,
// 1)).
void reference_norm_train(ReferenceShape shape, const double *x, const double *gamma,
                          const double *beta, double *running_mean, double *running_var,
                          double *mean, double *inverse, double *y);
void reference_norm_eval(ReferenceShape shape, const double *x, const double *gamma,
                         const double *beta, const double *running_mean, const double *running_var,
                         double *y);
// Gradient of the training form, through mean and variance.
void reference_norm_backward(ReferenceShape shape, const double *x, const double *gamma,
                             const double *mean, const double *inverse, const double *dy,
                             double *dx, double *dgamma, double *dbeta);

// ---- elementwise and merges ---------------------------------------------------------------------

void reference_relu_forward(size_t count, const double *x, double *y);
void reference_relu_backward(size_t count, const double *x, const double *dy, double *dx);

double reference_sigmoid(double a);

// y = scale * sum_j g_j x_j with g_j = sigmoid(*gates[j]), or 1 where gates[j] is NULL: the sum
// merge (scale 1) and the mean of a graph's outputs (scale 1/m, no gates).
void reference_combine_forward(size_t count, int n_inputs, const double *const *x,
                               const double *const *gates, double scale, double *y);
void reference_combine_backward(size_t count, int n_inputs, const double *const *x,
                                const double *const *gates, double scale, const double *dy,
                                double *const *dx, double *const *dgates);

// y = sigmoid(b) s + s m', m' = (m - min m) / max(max m - min m, 1e-12), min and max over each
// sample. The gradient flows through min and max too; ties share it equally.
void reference_attention_forward(ReferenceShape shape, const double *m, const double *s,
                                 const double *b, double *y);
void reference_attention_backward(ReferenceShape shape, const double *m, const double *s,
                                  const double *b, const double *dy, double *dm, double *ds,
                                  double *db);

// Channels one after another; `channels` lists those of the inputs, shape.channels is their sum.
void reference_concat_forward(ReferenceShape shape, int n_inputs, const int *channels,
                              const double *const *x, double *y);
void reference_concat_backward(ReferenceShape shape, int n_inputs, const int *channels,
                               const double *dy, double *const *dx);

// ---- pooling ------------------------------------------------------------------------------------

// kernel x kernel, stride 1, padding kernel/2; the divisor is always kernel^2.
void reference_pool_forward(ReferenceShape shape, int kernel, const double *x, double *y);
void reference_pool_backward(ReferenceShape shape, int kernel, const double *dy, double *dx);

// Output row i averages input rows floor(i H / h) .. ceil((i + 1) H / h) - 1, columns alike.  To 1
// x 1 it is global average pooling.
void reference_adaptive_forward(ReferenceShape in, int height, int width, const double *x,
                                double *y);
void reference_adaptive_backward(ReferenceShape in, int height, int width, const double *dy,
                                 double *dx);

// ---- head, loss, optimiser ----------------------------------------------------------------------

// y[n,k] = bias[k] + sum_c w[k,c] x[n,c].
void reference_linear_forward(int batch, int in, int out, const double *x, const double *w,
                              const double *bias, double *y);
void reference_linear_backward(int batch, int in, int out, const double *x, const double *w,
                               const double *dy, double *dx, double *dw, double *dbias);

// Mean over the batch of -sum_k q_k log softmax(logits)_k, q = (1 - smoothing) onehot + smoothing /
// classes.  dlogits, where not NULL, is added to.  An empty batch has loss 0.
double reference_cross_entropy(int batch, int classes, const double *logits, const int *labels,
                               double smoothing, double *dlogits);

// PyTorch's SGD: g = grad + weight_decay p; v = momentum v + g; p -= learning_rate v.  `velocity`
// starts at zero (PyTorch's first step, v = g, is the same).
void reference_sgd(size_t count, double learning_rate, double momentum, double weight_decay,
                   const double *grads, double *velocity, double *params);

#endif
