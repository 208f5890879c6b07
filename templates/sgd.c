// sgd.c - stochastic gradient descent with momentum and weight decay, PyTorch's update, in one
// sweep:
//   g += weight_decay p;  v = momentum v + g;  p -= learning_rate v     (v starts at zero, so the
//   first v is g)

NK_INLINE void nk_sgd(float *params, float *velocity, const float *grads, int size,
                      float learning_rate, float momentum, float weight_decay, int part, int parts)
{
    for (int i = nk_share(size, part, parts); i < nk_share(size, part + 1, parts); i++) {
        velocity[i] = momentum * velocity[i] + (grads[i] + weight_decay * params[i]);
        params[i] -= learning_rate * velocity[i];
    }
}
