// The microphone as 16-bit samples, in blocks of a tenth of a second.

export class Microphone {
  static async open(onSamples) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("browsers give the microphone only to pages of https:// or of localhost");
    }
    // What a browser does for calls would change the level and the voice.
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
    } catch (error) {
      throw new Error(reason(error));
    }
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule(new URL("./samples.js", import.meta.url));
      await context.resume();
    } catch (error) {
      stream.getTracks().forEach((track) => track.stop());
      context.close();
      throw error;
    }
    return new Microphone(stream, context, onSamples);
  }

  constructor(stream, context, onSamples) {
    this.stream = stream;
    this.context = context;
    this.sr = context.sampleRate;
    this.node = new AudioWorkletNode(context, "samples");
    this.node.connect(context.destination); // silent; some browsers run only nodes that are heard
    this.isEnded = new Promise((done) => {
      this.node.port.onmessage = ({ data }) => {
        if (data === "end") done();
        else onSamples(data);
      };
    });
    this.source = context.createMediaStreamSource(stream);
    this.source.connect(this.node);
  }

  pause() {
    return this.context.suspend();
  }

  resume() {
    return this.context.resume();
  }

  // Switches the microphone off once the last samples have come.
  close() {
    this.isClosed ??= this.end();
    return this.isClosed;
  }

  async end() {
    this.node.port.postMessage("end");
    const late = new Promise((done) => { setTimeout(done, 1000); });
    await Promise.race([this.isEnded, late]);
    this.source.disconnect();
    this.stream.getTracks().forEach((track) => track.stop());
    await this.context.close();
  }
}

function reason(error) {
  if (error.name === "NotAllowedError") return "the browser may not use the microphone: allow it for this page";
  if (error.name === "NotFoundError") return "there is no microphone";
  return `the microphone cannot be used: ${error.message}`;
}

export function wav(blocks, sr) {
  const size = blocks.reduce((sum, block) => sum + block.byteLength, 0);
  const head = new DataView(new ArrayBuffer(44));
  const text = (at, letters) => [...letters].forEach((c, i) => head.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  head.setUint32(4, 36 + size, true);
  text(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, 1, true);
  head.setUint32(24, sr, true);
  head.setUint32(28, 2 * sr, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  text(36, "data");
  head.setUint32(40, size, true);
  return [head.buffer, ...blocks];
}
