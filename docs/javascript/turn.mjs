// node turn.mjs model.onnx in.png out.png
//
// The model was exported with --pixels: it takes bytes of pixels, of any size, and gives bytes of pixels.
import { readFileSync, writeFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { PNG } from "pngjs";

const [model, from, to] = process.argv.slice(2);
const { width, height, data } = PNG.sync.read(readFileSync(from)); // red, green, blue, alpha

const rgb = new Uint8Array(width * height * 3);
for (let pixel = 0; pixel < width * height; pixel++) {
  const alpha = data[4 * pixel + 3]; // transparent pictures are seen on white, as Pixturn sees them
  for (let channel = 0; channel < 3; channel++) {
    rgb[3 * pixel + channel] = Math.round((data[4 * pixel + channel] * alpha + 255 * (255 - alpha)) / 255);
  }
}

const session = await InferenceSession.create(model);
const [input] = session.inputNames;
const [output] = session.outputNames;
const made = (await session.run({ [input]: new Tensor("uint8", rgb, [1, height, width, 3]) }))[output];

const [, outHeight, outWidth] = made.dims;
const picture = new PNG({ width: outWidth, height: outHeight });
for (let pixel = 0; pixel < outWidth * outHeight; pixel++) {
  picture.data.set([...made.data.subarray(3 * pixel, 3 * pixel + 3), 255], 4 * pixel);
}
writeFileSync(to, PNG.sync.write(picture));
