/** What answers show in the place of a secret. Sent back, it means that the secret stays as it is. */
export const SECRET_MASK = '********'
