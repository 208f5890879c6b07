// Runs ONNX models: node onnx_run.js PACKAGE (MODEL IMAGES LOGITS)...
//
// PACKAGE is the folder of npm's onnxruntime-node.  For each model: IMAGES holds its input as raw float32, as many images
// as the model's batch or a multiple of it; LOGITS gets its output as raw float32.  One thread.
const fs = require("fs");
const path = require("path");
const ort = require(path.resolve(process.argv[2]));

function floatsOf(file) {
    const bytes = fs.readFileSync(file);
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

async function run(model, images, logits) {
    const net = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    const shape = net.inputMetadata[0].shape;
    const size = shape.reduce((a, b) => a * b);
    const all = floatsOf(images);
    if (all.length === 0 || all.length % size !== 0)
        throw new Error(`${images}: ${all.length} numbers for inputs of ${shape}`);
    const parts = [];
    for (let at = 0; at < all.length; at += size) {
        const input = new ort.Tensor("float32", all.subarray(at, at + size), shape);
        const output = (await net.run({ image: input })).logits;
        parts.push(Buffer.from(output.data.buffer, output.data.byteOffset, output.data.byteLength));
    }
    fs.writeFileSync(logits, Buffer.concat(parts));
}

(async () => {
    for (let i = 3; i < process.argv.length; i += 3)
        await run(process.argv[i], process.argv[i + 1], process.argv[i + 2]);
})().catch((error) => {
    console.error(error.message);
    process.exit(1);
});
