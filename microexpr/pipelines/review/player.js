// The video: which frame is shown, and stepping, looping, slowing down.
const CHUNK = 1 << 20;

// Films and pictures lie in the page as base64: taken out once, when they are first needed.
function payload(name, type) {
  const holder = byId(`payload-${name}`);
  if (!holder) return null;
  if (!holder.dataset.url) {
    const text = holder.textContent;
    const parts = [];
    for (let place = 0; place < text.length; place += CHUNK) {
      parts.push(Uint8Array.from(atob(text.slice(place, place + CHUNK)), (letter) => letter.charCodeAt(0)));
    }
    holder.textContent = "";
    holder.dataset.url = URL.createObjectURL(new Blob(parts, { type }));
  }
  return holder.dataset.url;
}

const player = {
  video: byId("video"),
  frame: 0,
  loop: null,
  listeners: [],

  start() {
    const { video } = this;
    video.src = payload("video", "video/webm") ?? data.beside;
    video.addEventListener("error", () => {
      byId("video-note").hidden = false;
      byId("video-note").textContent = data.beside
        ? `The video cannot be shown: ${data.beside} must lie beside this page.`
        : "The video cannot be shown: this browser does not play VP9 in WebM.";
    });
    video.addEventListener("play", () => this.follow());
    for (const name of ["play", "pause", "ended"]) video.addEventListener(name, () => this.tell());
    video.addEventListener("loadedmetadata", () => this.seek(this.frame));
    byId("speed").addEventListener("change", () => (video.playbackRate = Number(byId("speed").value)));
    this.tell();
  },

  // A frame is aimed at in its middle: times in files are rounded.
  seek(frame) {
    this.frame = Math.max(0, Math.min(Math.round(frame), data.n_frames - 1));
    if (this.video.readyState) this.video.currentTime = (this.frame + 0.5) / data.fps;
    this.tell();
  },

  step(by) {
    this.pause();
    this.seek(this.frame + by);
  },

  pause() {
    this.loop = null;
    this.video.pause();
  },

  toggle() {
    if (!this.video.paused) return this.pause();
    if (this.frame >= data.n_frames - 1 || this.video.ended) this.seek(0);
    return this.video.play().catch(() => {});
  },

  // Play a stretch again and again, slowly.
  repeat(first, last) {
    const around = Math.max(2, Math.round(0.2 * data.fps));
    this.loop = [Math.max(0, first - around), Math.min(data.n_frames - 1, last + around)];
    if (this.video.playbackRate === 1) {
      byId("speed").value = "0.25";
      this.video.playbackRate = 0.25;
    }
    this.seek(this.loop[0]);
    this.video.play().catch(() => {});
  },

  follow() {
    if (this.video.paused) return;
    if (!this.video.seeking) {
      this.frame = Math.min(data.n_frames - 1, Math.floor(this.video.currentTime * data.fps + 1e-3));
      if (this.loop && this.frame > this.loop[1]) this.seek(this.loop[0]);
      this.tell();
    }
    requestAnimationFrame(() => this.follow());
  },

  tell() {
    for (const listener of this.listeners) listener(this.frame);
  },
};

const clockOf = (frame) => {
  const seconds = frame / data.fps;
  const rest = (seconds % 60).toFixed(3);
  const minutes = Math.floor(seconds / 60);
  if (!minutes) return `${rest} s`;
  const hours = Math.floor(minutes / 60);
  const padded = rest.padStart(6, "0");
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
};
