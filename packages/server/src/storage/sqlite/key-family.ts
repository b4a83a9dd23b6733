/** The numbers of the key ?1, of its children, their children, and so on, as the table `family`. */
export const familyOf = `
  with recursive family (number) as (
    select ?1
    union
    select api_keys.number from api_keys join family on api_keys.parent_number = family.number
  )`;
