// abi.h - the contract between a compiled program and whoever runs it.  Pasted verbatim into JIT
// programs.
#ifndef NK_ABI_H
#define NK_ABI_H

// One call of a program.  All threads of a team get the same call and their own part of `parts`;
// `barrier` is passed by all of them between ops (unused when parts == 1).  Params, grads:
// NET_PARAM_COUNT floats, one layout; state: running statistics, then momentum.
typedef struct {
    float *arena, *params, *grads, *state;
    const float *images; // [count][channels][height][width], normalised
    const int *labels;   // [count]; not read by infer
    float *logits;       // [count][classes]; written by infer
    float *loss;         // mean loss of the count images; written by gradient
    int count;           // 1 <= count <= batch
    float learning_rate, momentum, weight_decay, label_smoothing;
    unsigned long long seed, step; // name the dropout masks
    float dropout;                 // share of head features dropped; 0 switches it off
    void (*barrier)(void *team);
    void *team;
    void (*mark)(void *user,
                 int op); // called by part 0 after each op of a program compiled with `profile`
    void *mark_user;
} nk_call;

typedef void nk_program(const nk_call *call, int part, int parts);

#endif
