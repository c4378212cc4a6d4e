import type { FastifyReply } from 'fastify'
import Type from 'typebox'

/** What V1 answers to 1.x clients where older ones got the whole agent. */
export const NullBody = Type.Null()

/** Fastify sends no body at all for null; clients expect the four letters. */
export function sendNull(reply: FastifyReply): FastifyReply {
  return reply.type('application/json; charset=utf-8').send('null')
}
