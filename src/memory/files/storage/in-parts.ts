/** The same bytes in parts of `partBytes`, the last one shorter; none of nothing. */
export async function* inParts(content: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  for await (const chunk of content) {
    pending.push(chunk)
    pendingBytes += chunk.length
    if (pendingBytes < partBytes) continue
    const all = Buffer.concat(pending)
    let at = 0
    for (; all.length - at >= partBytes; at += partBytes) yield all.subarray(at, at + partBytes)
    pending = at < all.length ? [all.subarray(at)] : []
    pendingBytes = all.length - at
  }
  if (pendingBytes > 0) yield Buffer.concat(pending)
}
