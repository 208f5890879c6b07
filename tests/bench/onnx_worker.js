// Inference of an ONNX model in ONNX Runtime on request: node onnx_worker.js PACKAGE MODEL THREADS
//
// PACKAGE is the folder of npm's onnxruntime-node.  Prints a line of JSON once a call is done; then, for each line "N" on
// standard input, the milliseconds of N calls.
const path = require("path");
const readline = require("readline");
const [, , folder, model, threads] = process.argv;
const ort = require(path.resolve(folder));

async function main() {
    const net = await ort.InferenceSession.create(model, { intraOpNumThreads: Number(threads), interOpNumThreads: 1 });
    const shape = net.inputMetadata[0].shape;
    const image = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * Math.random() - 1);
    const feeds = { image: new ort.Tensor("float32", image, shape) };
    const call = async () => {
        const begin = process.hrtime.bigint();
        await net.run(feeds);
        return Number(process.hrtime.bigint() - begin) * 1e-6;
    };
    console.log(JSON.stringify({ first_ms: await call() }));
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const times = [];
        for (let i = 0; i < Number(line); i++)
            times.push(await call());
        console.log(JSON.stringify(times));
    }
}

main().catch((error) => {
    console.error(error.message);
    process.exit(1);
});
